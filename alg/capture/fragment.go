package capture

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"github.com/google/gopacket/layers"
)

// datagram names the datagram of which a fragment is a part (RFC 791 section
// 3.2, RFC 8200 section 4.5).
type datagram struct {
	src, dst netip.Addr
	id       uint32
	proto    layers.IPProtocol
}

// fragment is a part of a datagram.
type fragment struct {
	key    datagram
	offset int
	more   bool
	data   []byte
}

// fragments puts datagrams together. Its zero value is ready.
type fragments struct {
	open map[datagram]*partial
	// order holds the open datagrams, oldest first.
	order []*partial
	bytes int
}

// partial is a datagram of which fragments are missing.
type partial struct {
	key   datagram
	since time.Time
	parts []fragment // disjoint, by offset
	// size is the length of the whole, 0 while its last fragment is missing.
	size int
}

// Limits of what is kept. The time is that of Linux (net.ipv4.ipfrag_time).
const (
	maxPartials      = 1024
	maxFragmentBytes = 4 << 20
	maxParts         = 128
	fragmentLife     = 30 * time.Second
	maxDatagram      = 1 << 16
)

// add returns the whole datagram if f completes it, else nil. Of two fragments
// that say different things of the same bytes, the first counts.
func (s *fragments) add(f fragment, now time.Time) []byte {
	end := f.offset + len(f.data)
	if end > maxDatagram {
		return nil
	}
	s.expire(now)
	p := s.open[f.key]
	if p == nil {
		p = s.begin(f.key, now)
	}
	if !f.more {
		p.size = end
	}
	if !p.overlaps(f) && len(p.parts) < maxParts {
		f.data = slices.Clone(f.data)
		p.parts = append(p.parts, f)
		slices.SortFunc(p.parts, func(a, b fragment) int { return cmp.Compare(a.offset, b.offset) })
		s.bytes += len(f.data)
	}
	whole := p.whole()
	if whole != nil {
		s.remove(slices.Index(s.order, p))
	}
	return whole
}

func (s *fragments) begin(key datagram, now time.Time) *partial {
	if s.open == nil {
		s.open = make(map[datagram]*partial)
	}
	p := &partial{key: key, since: now}
	s.open[key] = p
	s.order = append(s.order, p)
	return p
}

// expire makes room: what is too old goes, and the oldest if there is too
// much.
func (s *fragments) expire(now time.Time) {
	for len(s.order) > 0 {
		oldest := s.order[0]
		if len(s.order) < maxPartials && s.bytes < maxFragmentBytes && now.Sub(oldest.since) < fragmentLife {
			return
		}
		s.remove(0)
	}
}

func (s *fragments) remove(i int) {
	p := s.order[i]
	s.order = slices.Delete(s.order, i, i+1)
	delete(s.open, p.key)
	for _, f := range p.parts {
		s.bytes -= len(f.data)
	}
}

func (p *partial) overlaps(f fragment) bool {
	return slices.ContainsFunc(p.parts, func(o fragment) bool {
		return f.offset < o.offset+len(o.data) && o.offset < f.offset+len(f.data)
	})
}

// whole returns the datagram if nothing of it is missing.
func (p *partial) whole() []byte {
	if p.size == 0 {
		return nil
	}
	data := make([]byte, 0, p.size)
	for _, f := range p.parts {
		if f.offset != len(data) {
			return nil
		}
		data = append(data, f.data...)
	}
	if len(data) < p.size {
		return nil
	}
	return data[:p.size:p.size]
}
