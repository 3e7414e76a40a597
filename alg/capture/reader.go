package capture

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrFormat says that a file is neither pcap nor pcapng.
var ErrFormat = errors.New("neither pcap nor pcapng")

// DamageError says where a capture can be read no further.
type DamageError struct {
	// Frame is the number of the packet that could not be read.
	Frame uint64
	// Offset is where in the (unpacked) file it begins, or the block before it
	// that makes no sense, in bytes.
	Offset int64
	Err    error
}

// Error returns packet, offset and cause.
func (e *DamageError) Error() string {
	return fmt.Sprintf("packet %d, at byte %d: %v", e.Frame, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *DamageError) Unwrap() error { return e.Err }

// maxFrame is the longest packet that a file may hold, in bytes: more than any
// program writes.
const maxFrame = 1 << 20

// Reader reads the packets of a pcap or pcapng file, gzipped or not.
type Reader struct {
	in     *counter
	format format
	frames uint64
	// begun is the offset of what is being read.
	begun int64
	data  []byte
}

// format reads one packet after the other of one file format. It sets all of
// the frame but its number.
type format interface {
	next(r *Reader) (Frame, error)
}

// counter counts what is read through it.
type counter struct {
	r      *bufio.Reader
	offset int64
}

func (c *counter) full(b []byte) error {
	n, err := io.ReadFull(c.r, b)
	c.offset += int64(n)
	return err
}

func (c *counter) skip(n int64) error {
	done, err := io.CopyN(io.Discard, c.r, n)
	c.offset += done
	return cut(err)
}

// cut turns the end of a file within something into an error that says so.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errCut
	}
	return err
}

var errCut = errors.New("the file ends within it")

// bufferSize is how much of a file is read at a time, in bytes.
const bufferSize = 1 << 18

// NewReader returns a Reader for what r holds. The error wraps ErrFormat if
// that is no capture.
func NewReader(r io.Reader) (*Reader, error) {
	in := bufio.NewReaderSize(r, bufferSize)
	head, err := in.Peek(4)
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
		in = bufio.NewReaderSize(unpacked, bufferSize)
		head, err = in.Peek(4)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
	} else if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	c := &Reader{in: &counter{r: in}}
	switch {
	case len(head) == 0:
		return nil, fmt.Errorf("%w: it is empty", ErrFormat)
	case len(head) < 4:
		return nil, fmt.Errorf("%w: it has %d bytes", ErrFormat, len(head))
	case binary.BigEndian.Uint32(head) == blockSection:
		c.format = &pcapng{}
		return c, nil
	}
	c.format, err = newPcap(c.in, head)
	return c, err
}

// Offset returns how many bytes of the unpacked file have been read.
func (r *Reader) Offset() int64 { return r.in.offset }

// Next returns the next packet. At the end of the file the error is io.EOF; a
// *DamageError says where a file ended too early or makes no sense.
func (r *Reader) Next() (Frame, error) {
	r.begun = r.in.offset
	f, err := r.format.next(r)
	switch {
	case errors.Is(err, io.EOF):
		return Frame{}, io.EOF
	case err != nil:
		return Frame{}, &DamageError{Frame: r.frames + 1, Offset: r.begun, Err: cut(err)}
	}
	r.frames++
	f.Number = r.frames
	return f, nil
}

// packet reads the bytes of a packet into the reader's own buffer. Its
// capacity ends where they end, so that no decoder can read on.
func (r *Reader) packet(length uint32) ([]byte, error) {
	if length > maxFrame {
		return nil, fmt.Errorf("a length of %d bytes makes no sense", length)
	}
	if int(length) > cap(r.data) {
		r.data = make([]byte, max(length, 1<<16))
	}
	data := r.data[:length:length]
	return data, cut(r.in.full(data))
}
