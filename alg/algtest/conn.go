// Package algtest holds what tests of the gateway need in place of a network
// and a kernel: connections in memory that can end in one direction, and a
// Kernel that writes down what it was asked. All of it works within a
// testing/synctest bubble.
package algtest

import (
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"
)

// window is how much one direction holds before a write blocks, in bytes.
const window = 64 << 10

// stream is one direction of a connection.
type stream struct {
	mu            sync.Mutex
	changed       *sync.Cond
	held          []byte
	ended, reset  bool // by the writer
	readerGone    bool
	lowWater      int // how much must be held before it is read
	readDeadline  time.Time
	writeDeadline time.Time
}

func newStream() *stream {
	s := &stream{}
	s.changed = sync.NewCond(&s.mu)
	return s
}

func over(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.readerGone:
			return 0, net.ErrClosed
		case over(s.readDeadline):
			return 0, os.ErrDeadlineExceeded
		case s.reset:
			return 0, syscall.ECONNRESET
		case len(s.held) > 0 && (len(s.held) >= min(s.lowWater, window) || s.ended):
			n := copy(p, s.held)
			s.held = s.held[n:]
			s.changed.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(p) > 0 {
		switch {
		case s.ended || s.reset:
			return n, net.ErrClosed
		case s.readerGone:
			return n, syscall.EPIPE
		case over(s.writeDeadline):
			return n, os.ErrDeadlineExceeded
		case len(s.held) < window:
			k := min(len(p), window-len(s.held))
			s.held = append(s.held, p[:k]...)
			p, n = p[k:], n+k
			s.changed.Broadcast()
			continue
		}
		s.changed.Wait()
	}
	return n, nil
}

// set changes the stream and wakes whoever waits on it, now and at deadline.
func (s *stream) set(change func(), deadline time.Time) {
	s.mu.Lock()
	change()
	s.mu.Unlock()
	s.changed.Broadcast()
	if d := time.Until(deadline); !deadline.IsZero() && d > 0 {
		time.AfterFunc(d, s.changed.Broadcast)
	}
}

// Conn is one end of a connection in memory.
type Conn struct {
	in, out       *stream
	local, remote netip.AddrPort
}

// Pipe returns the two ends of a connection between a and b.
func Pipe(a, b netip.AddrPort) (*Conn, *Conn) {
	up, down := newStream(), newStream()
	return &Conn{in: down, out: up, local: a, remote: b}, &Conn{in: up, out: down, local: b, remote: a}
}

// Read reads what the other end has written.
func (c *Conn) Read(p []byte) (int, error) { return c.in.read(p) }

// Write blocks while the other end has a window's worth unread.
func (c *Conn) Write(p []byte) (int, error) { return c.out.write(p) }

// SetReadLowWater sets how many bytes must have come before Read returns; the end
// of the stream, or a full window, is enough.
func (c *Conn) SetReadLowWater(bytes int) error {
	c.in.set(func() { c.in.lowWater = bytes }, time.Time{})
	return nil
}

// CloseWrite ends our stream.
func (c *Conn) CloseWrite() error {
	c.out.set(func() { c.out.ended = true }, time.Time{})
	return nil
}

// Close ends both directions.
func (c *Conn) Close() error {
	c.in.set(func() { c.in.readerGone = true }, time.Time{})
	return c.CloseWrite()
}

// Abort ends both directions so that the other end reads ECONNRESET.
func (c *Conn) Abort() error {
	c.in.set(func() { c.in.readerGone = true }, time.Time{})
	c.out.set(func() { c.out.reset = true }, time.Time{})
	return nil
}

// LocalAddr returns our address.
func (c *Conn) LocalAddr() net.Addr { return net.TCPAddrFromAddrPort(c.local) }

// RemoteAddr returns the other end's address.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.remote) }

// SetDeadline bounds reads and writes.
func (c *Conn) SetDeadline(t time.Time) error {
	c.SetReadDeadline(t)
	return c.SetWriteDeadline(t)
}

// SetReadDeadline bounds reads.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.in.set(func() { c.in.readDeadline = t }, t)
	return nil
}

// SetWriteDeadline bounds writes.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.out.set(func() { c.out.writeDeadline = t }, t)
	return nil
}
