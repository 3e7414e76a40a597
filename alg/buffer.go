package alg

import (
	"errors"
	"io"
)

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
	// urgent is the offset of the urgent byte within unread, or none.
	urgent int
}

const noUrgent = -1

func newBuffer(limit int) *buffer {
	return &buffer{data: make([]byte, min(smallBuffer, limit)), max: limit, urgent: noUrgent}
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

// consume takes n bytes off the front.
func (b *buffer) consume(n int) {
	b.start += n
	if b.urgent != noUrgent {
		b.urgent = max(b.urgent-n, noUrgent)
	}
}
