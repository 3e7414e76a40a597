package capture

import (
	"slices"
	"time"
)

// half is one direction of a connection: where its stream begins, how far it
// has been delivered, and what is held until what comes before it has come.
// Offsets count its bytes from 0, a FIN as one.
type half struct {
	// known says that start, the sequence number of offset 0, is; fromSYN that
	// a SYN told it.
	known, fromSYN bool
	start          uint32
	// hint is the earliest sequence number at which the stream may go on, as
	// segments without data tell before it is known.
	hint   uint32
	hinted bool

	next  int64 // of what is to be delivered next
	high  int64 // behind all that was sent
	acked int64 // behind all that the other side has confirmed
	// payload counts the bytes sent, as far as numbers tell; end is the offset
	// of the FIN, or -1.
	end int64

	pieces []piece
	held   int

	// acks are the lowest and highest number confirmed by this side.
	confirms     bool
	lowAck, span uint32
}

// piece is a part of a stream that was recorded and not delivered.
type piece struct {
	offset int64
	// size is the length of data; of a FIN 1; of bytes that were sent and not
	// recorded, their number.
	size  int64
	data  []byte
	frame uint64
	at    time.Time
	kind  pieceKind
	// needs is the offset of the other half up to which the sender had
	// received when it sent this.
	needs int64
}

type pieceKind uint8

const (
	pieceData pieceKind = iota
	pieceCut            // not recorded: the snap length
	pieceFIN
)

// Limits of one half.
const (
	maxHeld   = 128 << 10 // bytes
	maxPieces = 256
	// hintReach is how far before a stream's first data it may begin.
	hintReach = 1 << 16
)

func (h *half) begin(seq uint32) {
	h.known, h.start, h.end = true, seq, -1
}

// suggest notes that the stream may go on at seq.
func (h *half) suggest(seq uint32) {
	if !h.known && (!h.hinted || int32(seq-h.hint) < 0) {
		h.hinted, h.hint = true, seq
	}
}

// beginMidway begins at the first data of a stream whose SYN was not recorded.
func (h *half) beginMidway(s *segment) {
	seq := s.seq
	if back := seq - h.hint; h.hinted && back < hintReach {
		seq = h.hint
	} else if h.hinted && h.hint-seq == 1 && len(s.payload) == 1 {
		seq = h.hint // a keepalive probe (RFC 1122 section 4.2.3.6)
	}
	h.begin(seq)
}

// offset returns the offset of a sequence number, which lies within 2 GB of
// the highest seen.
func (h *half) offset(seq uint32) int64 {
	return h.high + int64(int32(seq-(h.start+uint32(h.high))))
}

// insert keeps the parts of p that were neither delivered nor held. Of two
// segments that say different things of the same bytes, the first counts.
func (h *half) insert(p piece) {
	if p.offset < h.next {
		p = p.behind(h.next)
	}
	for i := 0; i < len(h.pieces) && p.size > 0; i++ {
		o := &h.pieces[i]
		end := o.offset + o.size
		switch {
		case end <= p.offset:
			continue
		case o.offset >= p.offset+p.size:
			h.hold(i, p)
			return
		case o.offset > p.offset:
			h.hold(i, p.before(o.offset))
			i++
		}
		p = p.behind(end)
	}
	if p.size > 0 {
		h.hold(len(h.pieces), p)
	}
}

func (h *half) hold(i int, p piece) {
	p.data = slices.Clone(p.data)
	h.held += len(p.data)
	h.pieces = slices.Insert(h.pieces, i, p)
}

// behind returns what of p lies at or behind an offset, before what lies
// before it.
func (p piece) behind(offset int64) piece {
	n := min(max(0, offset-p.offset), p.size)
	p.offset, p.size = p.offset+n, p.size-n
	if p.kind == pieceData {
		p.data = p.data[n:]
	}
	return p
}

func (p piece) before(offset int64) piece {
	n := min(max(0, offset-p.offset), p.size)
	p.size = n
	if p.kind == pieceData {
		p.data = p.data[:n]
	}
	return p
}

// pop takes the first piece off.
func (h *half) pop() piece {
	p := h.pieces[0]
	h.pieces = h.pieces[1:]
	if len(h.pieces) == 0 {
		h.pieces = nil
	}
	h.held -= len(p.data)
	h.next = p.offset + p.size
	return p
}

// ready reports whether the next piece of the stream is there.
func (h *half) ready() bool { return len(h.pieces) > 0 && h.pieces[0].offset <= h.next }

// hole reports whether something is missing that will not come any more: it
// was confirmed, or too much waits behind it.
func (h *half) hole() bool {
	if h.ready() || !h.known {
		return false
	}
	return h.acked > h.next || h.full()
}

func (h *half) full() bool { return h.held > maxHeld || len(h.pieces) > maxPieces }

// leap passes over the hole and returns its size.
func (h *half) leap() int64 {
	to := max(h.acked, h.next)
	if len(h.pieces) > 0 {
		first := h.pieces[0].offset
		if h.acked <= h.next || first < to {
			to = first
		}
	}
	lost := to - h.next
	h.next = to
	return lost
}

// drop forgets what is held.
func (h *half) drop() { h.pieces, h.held = nil, 0 }

// confirm notes an acknowledgment that this side sent.
func (h *half) confirm(ack uint32) {
	switch back := h.lowAck - ack; {
	case !h.confirms:
		h.confirms, h.lowAck = true, ack
	case int32(back) > 0:
		h.lowAck, h.span = ack, h.span+back
	case ack-h.lowAck > h.span:
		h.span = ack - h.lowAck
	}
}

// hears reports whether this side has confirmed data of the other's while it
// was recorded: more than a FIN.
func (h *half) hears() bool { return h.confirms && h.span > 1 }

// sent returns how many bytes were sent, as far as sequence numbers tell.
func (h *half) sent() int64 {
	if h.end >= 0 {
		return h.end
	}
	return h.high
}
