package alg

import (
	"errors"
	"net/netip"
	"sort"
	"sync"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
)

// told is a promise before it is kept: what the other side will read, and
// what the kernel must do about it.
type told struct {
	// text is the host-port that replaces the announced one.
	text netip.AddrPort
	want expect.Expectation
	// leased is the port that was taken from the pool, 0 if none was.
	leased uint16
}

// tell is Tell with a port from the pool where one is leased. The expectation
// that it returns lacks only its ID, session and deadline.
func tell(e Endpoints, a *dialogue.Announcement, s *Settings, pool *nat.Pool) (told, error) {
	answer, err := Tell(e, a, s)
	if err != nil {
		return told{}, err
	}
	t := told{want: expect.Expectation{Mode: a.Mode, From: answer.From, Seen: answer.Seen, Target: answer.Target}}
	port := answer.Target.Port()
	if answer.Leased {
		if port, err = pool.Take(answer.Ports, answer.View.Usable); err != nil {
			return t, err
		}
		t.leased = port
	}
	t.want.To = netip.AddrPortFrom(answer.Door, port)
	t.text = answer.Told(port)
	return t, nil
}

// reply425 is the honest answer when a promise cannot be made (RFC 959
// section 5.4 allows 425 for the transfer, and clients take it for PASV too).
func reply425(err error) string {
	switch {
	case errors.Is(err, nat.ErrExhausted):
		return "425 No data port is free, try again later."
	case errors.Is(err, nat.ErrUnresolved):
		return "425 The public address is not known yet, try again later."
	}
	return "425 The data connection cannot be opened at the gateway."
}

// causeOf names the reason for a reply425.
func causeOf(err error) Cause {
	switch {
	case errors.Is(err, nat.ErrExhausted):
		return CausePool
	case errors.Is(err, nat.ErrUnresolved):
		return CauseUnresolved
	}
	return CauseKernel
}

// promises is the gateway's list of what stands open.
type promises struct {
	kernel Kernel
	pool   *nat.Pool
	data   *dataLedger

	mu   sync.Mutex
	next expect.ID
	open map[expect.ID]*standing
}

// standing is one promise. Once its time is over the kernel has withdrawn it,
// but its port is not free while the connection that came in time goes on.
type standing struct {
	want   expect.Expectation
	leased uint16
	expiry *time.Timer
	over   bool
}

func newPromises(k Kernel, d *dataLedger) *promises {
	return &promises{kernel: k, data: d, pool: nat.NewPool(portRest), open: make(map[expect.ID]*standing)}
}

// name gives an expectation its ID.
func (p *promises) name() expect.ID {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	return p.next
}

// add takes over a promise that the kernel has confirmed. At its deadline it
// is withdrawn; it ends by itself then, unless inUse says that its connection
// has come.
func (p *promises) add(t told, inUse func() bool) {
	id := t.want.ID
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[id] = &standing{
		want: t.want, leased: t.leased,
		expiry: time.AfterFunc(time.Until(t.want.Until), func() { p.expire(id, inUse()) }),
	}
}

func (p *promises) expire(id expect.ID, inUse bool) {
	if !inUse {
		p.end(id, EndExpired)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.open[id]; s != nil {
		s.over = true
		p.kernel.Close(id)
	}
}

// forget gives back the port of a promise that was never made.
func (p *promises) forget(t told) {
	if t.leased != 0 {
		p.pool.Release(t.leased)
	}
}

// end withdraws a promise; ending it twice is nothing.
func (p *promises) end(id expect.ID, how End) {
	p.mu.Lock()
	s := p.open[id]
	delete(p.open, id)
	p.mu.Unlock()
	if s == nil {
		return
	}
	s.expiry.Stop()
	if !s.over {
		p.kernel.Close(id)
	}
	if s.leased != 0 {
		p.pool.Release(s.leased)
	}
	p.data.end(s.want, how)
}

// list returns what the kernel admits, oldest first.
func (p *promises) list() []expect.Expectation {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]expect.Expectation, 0, len(p.open))
	for _, s := range p.open {
		if !s.over {
			out = append(out, s.want)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}
