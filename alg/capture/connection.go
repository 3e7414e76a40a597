package capture

import (
	"net/netip"
	"time"
)

// key names a connection: its two ends, the lower one first.
type key [2]netip.AddrPort

// keyOf returns the key of a connection between two ends, and which of the
// key's ends src is.
func keyOf(src, dst netip.AddrPort) (k key, side int) {
	if src.Compare(dst) <= 0 {
		return key{src, dst}, 0
	}
	return key{dst, src}, 1
}

// connection is one TCP connection.
type connection struct {
	ends   key
	halves [2]half
	// opener is the side that sent the SYN, or unknownSide.
	opener int

	// first and last are the frames of its first and latest segment, with
	// their times.
	first, last         uint64
	firstTime, lastTime time.Time
	segments            int
	// syns counts the opener's SYNs, the latest at lastSYN; answered says that
	// a SYN ACK came.
	syns     int
	lastSYN  time.Time
	answered bool
	// reset is the side that sent a RST, or unknownSide; why says what an
	// ICMP message from whom said of it.
	reset int
	why   string
	whom  netip.Addr

	// reader takes the streams, nil once nobody needs them.
	reader reader
	// stalled counts the segments since something was last handed on.
	stalled int

	// session is what its streams are, nil if not FTP; claimed says that an
	// announcement is about it.
	session *Session
	claimed bool
	// buried is when it is to be forgotten, the zero Time while it is not over.
	buried time.Time
	// elder and newer are its neighbours among the connections by age.
	elder, newer *connection
}

const unknownSide = -1

// reader takes the streams of a connection, in the order in which the peers
// saw them.
type reader interface {
	// take gets bytes of a side's stream, with the frame that they were
	// recorded in, and when.
	take(side int, data []byte, frame uint64, at time.Time)
	// lost says that bytes of a side's stream are missing here; snapped that
	// the snap length cut them off.
	lost(side int, bytes int64, snapped bool, frame uint64)
	// closed says that a side's stream has ended.
	closed(side int)
	// heldBytes returns how much memory is held for what is not read yet.
	heldBytes() int
}

// patience is how many segments of a connection what was confirmed and not
// recorded may be late.
const patience = 128

// add takes a segment of the connection from a side.
func (c *connection) add(s *segment, side int) {
	h, o := &c.halves[side], &c.halves[1-side]
	if c.first == 0 {
		c.first, c.firstTime = s.frame, s.time
	}
	c.last, c.lastTime = s.frame, s.time
	c.segments++
	if s.flags.has(flagSYN) {
		c.syn(s, side)
	}
	if s.flags.has(flagACK) {
		c.ack(s, side)
	}
	if s.flags.has(flagRST) {
		if c.reset == unknownSide {
			c.reset = side
		}
		return
	}
	size := len(s.payload) + s.missing
	if !h.known {
		if size == 0 && !s.flags.has(flagFIN) {
			h.suggest(s.seq)
			return
		}
		h.beginMidway(s)
	}
	at := s.seq
	if s.flags.has(flagSYN) {
		at++
	}
	offset := h.offset(at)
	end := offset + int64(size)
	h.high = max(h.high, end)
	if s.flags.has(flagFIN) && h.end < 0 {
		h.end = end
		h.high = max(h.high, end+1)
	}
	if c.reader == nil {
		return
	}
	c.hold(s, h, o, offset)
	c.deliver()
}

// syn notes a SYN.
func (c *connection) syn(s *segment, side int) {
	h := &c.halves[side]
	if !h.known {
		h.begin(s.seq + 1)
	}
	h.fromSYN = true
	if s.flags.has(flagACK) {
		c.answered = true
		c.opener = 1 - side
		if o := &c.halves[1-side]; !o.known {
			o.begin(s.ack)
		}
		return
	}
	if c.opener == unknownSide {
		c.opener = side
	}
	if c.syns == 0 || s.time.Sub(c.lastSYN) > copyGap {
		c.syns++
	}
	c.lastSYN = s.time
}

// copyGap is the most time between two recordings of the same packet, on two
// interfaces of the recording machine.
const copyGap = time.Millisecond

// ack notes what a segment confirms.
func (c *connection) ack(s *segment, side int) {
	c.halves[side].confirm(s.ack)
	o := &c.halves[1-side]
	if !o.known {
		o.suggest(s.ack)
		return
	}
	offset := o.offset(s.ack)
	if !s.flags.has(flagRST) && offset <= o.high+maxWindow {
		o.acked = max(o.acked, offset)
	}
}

// maxWindow is the most that can have been sent and not recorded, in bytes
// (RFC 7323 section 2.3).
const maxWindow = 1 << 30

// hold keeps what a segment carries.
func (c *connection) hold(s *segment, h, o *half, offset int64) {
	var needs int64
	if s.flags.has(flagACK) && o.known {
		needs = o.offset(s.ack)
	}
	p := piece{offset: offset, frame: s.frame, at: s.time, needs: needs}
	if n := len(s.payload); n > 0 {
		p.size, p.data = int64(n), s.payload
		h.insert(p)
		p.offset += int64(n)
	}
	if s.missing > 0 {
		p.size, p.data, p.kind = int64(s.missing), nil, pieceCut
		h.insert(p)
		p.offset += int64(s.missing)
	}
	if s.flags.has(flagFIN) {
		p.size, p.data, p.kind = 1, nil, pieceFIN
		h.insert(p)
	}
}

// deliver hands on what is in turn. When nothing was for longer than patience
// allows, what is missing is given up.
func (c *connection) deliver() {
	c.stalled++
	c.advance()
	for c.reader != nil && (c.stalled > patience || c.halves[0].full() || c.halves[1].full()) && c.waits() && c.leap() {
		c.advance()
	}
}

func (c *connection) waits() bool { return len(c.halves[0].pieces)+len(c.halves[1].pieces) > 0 }

// advance hands on what is in turn.
func (c *connection) advance() {
	for c.reader != nil {
		side := c.turn()
		if side == unknownSide {
			return
		}
		c.stalled = 0
		p := c.halves[side].pop()
		switch p.kind {
		case pieceData:
			c.reader.take(side, p.data, p.frame, p.at)
		case pieceCut:
			c.reader.lost(side, p.size, true, p.frame)
		case pieceFIN:
			c.reader.closed(side)
		}
	}
}

// turn returns the side whose next piece is in turn: all that its sender had
// received has been handed on.
func (c *connection) turn() int {
	for side := range c.halves {
		h, o := &c.halves[side], &c.halves[1-side]
		if h.ready() && (!o.known || o.next >= h.pieces[0].needs) {
			return side
		}
	}
	return unknownSide
}

// leap passes over one hole, and reports whether there was something to pass
// over.
func (c *connection) leap() bool {
	for side := range c.halves {
		if h := &c.halves[side]; h.hole() {
			if lost := h.leap(); lost > 0 {
				c.reader.lost(side, lost, false, c.last)
				return true
			}
		}
	}
	// Confirmed by a segment that nothing else confirms, or out of window: its
	// sender lies, and order is what it was recorded in.
	for side := range c.halves {
		if h := &c.halves[side]; len(h.pieces) > 0 {
			if h.ready() {
				h.pieces[0].needs = 0
				return true
			}
		}
	}
	return false
}

// flush hands on all that is held, whatever is missing.
func (c *connection) flush() {
	if c.reader == nil {
		return
	}
	c.advance()
	for c.reader != nil && c.waits() {
		if c.leap() {
			c.advance()
			continue
		}
		for side := range c.halves {
			h := &c.halves[side]
			if len(h.pieces) > 0 {
				c.reader.lost(side, h.leap(), false, c.last)
				break
			}
		}
		c.advance()
	}
}

// forget ends the reading of the streams.
func (c *connection) forget() {
	c.reader = nil
	c.halves[0].drop()
	c.halves[1].drop()
}

// over reports whether both sides have ended, or one has broken it off.
func (c *connection) over() bool {
	return c.reset != unknownSide || c.halves[0].end >= 0 && c.halves[1].end >= 0
}

// heldBytes returns how much memory is held for the connection.
func (c *connection) heldBytes() int {
	n := c.halves[0].held + c.halves[1].held
	if c.reader != nil {
		n += c.reader.heldBytes()
	}
	return n
}

// continues reports whether a segment with a SYN belongs to this connection. A
// SYN that was sent again, or recorded late, does; one with another number, or
// behind the end, begins another connection between the same ends.
func (c *connection) continues(s *segment, side int) bool {
	h, answer := &c.halves[side], s.flags.has(flagACK)
	if !answer && (c.over() || c.segments > patience) {
		return false
	}
	if !h.known {
		return c.opener == unknownSide || (c.opener == side) != answer
	}
	ahead := h.start - (s.seq + 1)
	return ahead == 0 || !h.fromSYN && ahead < hintReach && c.segments < lateSYN
}

// lateSYN is how many segments of a connection may be recorded before its SYN.
const lateSYN = 16
