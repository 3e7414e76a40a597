package alg

import (
	"bytes"
	"errors"
	"io"
	"os"

	"ftpalg/alg/wire"
)

// half is one side of a session: its connection, what was read from it and
// not yet taken, and what is to be written to it. One goroutine reads. Both
// may queue bytes, with the session's mu held, and write them, without it.
type half struct {
	conn Conn
	// lines cuts what is read into lines.
	lines splitter
	in    buffer
	// over says that the stream of this side has ended and that its end was
	// passed on. The session's mu guards it.
	over bool

	// out is what is to be written, urgent the offset of the urgent byte in
	// it, or noUrgent. The session's mu guards both.
	out    []byte
	urgent int
	// held waits behind out for TLS to begin, while holding. The session's mu
	// guards both.
	held    []byte
	holding bool
	// writing says that a goroutine writes to conn: one at a time does, so
	// that queued bytes leave in their order. The session's mu guards it.
	writing bool
}

// splitter cuts a stream into lines: wire.CommandSplitter or
// wire.ReplySplitter.
type splitter interface {
	Next(data []byte) (line wire.Line, n int)
}

func newHalf(c Conn, lines splitter, longest int) half {
	return half{conn: c, lines: lines, in: newBuffer(longest), urgent: noUrgent}
}

// queue appends b to what is to be written. The caller holds the session's mu.
func (h *half) queue(b []byte) {
	if h.holding {
		h.held = append(h.held, b...)
		return
	}
	h.out = append(h.out, b...)
}

// hold has what is queued from now on wait for TLS. The caller holds the
// session's mu.
func (h *half) hold() { h.holding = true }

// release lets go what hold has kept. The caller holds the session's mu.
func (h *half) release() {
	h.out = append(h.out, h.held...)
	h.held, h.holding = nil, false
}

// queueUrgent is queue for bytes whose u-th, if any, came as urgent data.
func (h *half) queueUrgent(b []byte, u int) {
	if u != noUrgent {
		h.urgent = len(h.out) + u
	}
	h.queue(b)
}

// takeOut takes what is to be written. The caller holds the session's mu.
func (h *half) takeOut() (b []byte, urgent int) {
	b, urgent = h.out, h.urgent
	h.out, h.urgent = nil, noUrgent
	return b, urgent
}

// giveBack returns what takeOut gave and of which n bytes were written. The
// rest comes first again. The caller holds the session's mu.
func (h *half) giveBack(b []byte, urgent, n int) {
	switch {
	case n < len(b):
		if urgent >= n {
			h.urgent = urgent - n
		} else if h.urgent != noUrgent {
			h.urgent += len(b) - n
		}
		h.out = append(bytes.Clone(b[n:]), h.out...)
	case h.out == nil && cap(b) <= smallBuffer:
		h.out = b[:0]
	}
}

// flush writes what is queued for h. The caller does not hold mu.
func (s *session) flush(h *half) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for h.writing && len(h.out) > 0 {
		s.changed.Wait()
	}
	if len(h.out) == 0 {
		return nil
	}
	b, urgent := h.takeOut()
	h.writing = true
	s.mu.Unlock()
	n, err := write(h.conn, b, urgent)
	s.mu.Lock()
	h.writing = false
	s.changed.Broadcast()
	h.giveBack(b, urgent, n)
	if s.parking && errors.Is(err, os.ErrDeadlineExceeded) {
		return errParked
	}
	return err
}

// write writes b to c, the byte at u as urgent data if that is an offset.
func write(c Conn, b []byte, u int) (int, error) {
	to, ok := c.(urgentConn)
	if u == noUrgent || !ok {
		return c.Write(b)
	}
	n, err := to.WriteUrgent(b[:u+1])
	if err != nil || u+1 == len(b) {
		return n, err
	}
	rest, err := c.Write(b[u+1:])
	return n + rest, err
}

// smallBuffer is the room that an idle direction keeps, in bytes.
const smallBuffer = 256

// buffer holds what was read and not yet taken. It grows up to max while a
// line needs it.
type buffer struct {
	data       []byte
	start, end int
	max        int
	// ended says that the stream has ended behind what is held.
	ended bool
	// urgent is the offset of the urgent byte within unread, or noUrgent.
	urgent int
}

const noUrgent = -1

func newBuffer(longest int) buffer {
	return buffer{data: make([]byte, min(smallBuffer, longest)), max: longest, urgent: noUrgent}
}

func (b *buffer) unread() []byte { return b.data[b.start:b.end] }

func (b *buffer) full() bool { return b.end-b.start == b.max }

// fill reads once from r. Slices of unread are invalid afterwards.
func (b *buffer) fill(r io.Reader) error {
	b.makeRoom()
	n, err := r.Read(b.data[b.end:])
	b.end += n
	if n > 0 && errors.Is(err, io.EOF) {
		return nil // the next read says it again
	}
	return err
}

func (b *buffer) makeRoom() {
	held := b.unread()
	switch {
	case len(held) == 0 && len(b.data) > smallBuffer:
		b.data = make([]byte, smallBuffer)
	case len(held) == len(b.data):
		b.data = append(make([]byte, 0, b.max), held...)[:min(2*len(held), b.max)]
		b.start, b.end = 0, len(held)
		return
	case b.start > 0:
		copy(b.data, held)
	}
	b.start, b.end = 0, len(held)
}

// take takes n bytes off the front. They stay valid until fill. It returns the
// offset of the urgent byte in them, or noUrgent.
func (b *buffer) take(n int) (taken []byte, urgent int) {
	taken, urgent = b.unread()[:n], noUrgent
	b.start += n
	switch {
	case b.urgent >= n:
		b.urgent -= n
	case b.urgent != noUrgent:
		urgent, b.urgent = b.urgent, noUrgent
	}
	return taken, urgent
}
