package alg

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
)

// tlsConn is a connection under TLS. Its end is told twice: by a close_notify
// (RFC 8446 section 6.1), and by the end of the stream below.
type tlsConn struct {
	*tls.Conn
	below *endNoting
}

// endNoting is a connection that remembers whether it has ended: crypto/tls
// takes that for the end of the stream even without a close_notify.
type endNoting struct {
	Conn
	ended atomic.Bool

	// While gathering, what is written is held, to leave in one piece.
	mu        sync.Mutex
	gathering bool
	held      []byte
}

// gather holds what is written from now on.
func (c *endNoting) gather() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gathering = true
}

// release writes what is held.
func (c *endNoting) release() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.gathering = false
	_, err := c.Conn.Write(c.held)
	c.held = c.held[:0]
	return err
}

func (c *endNoting) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gathering {
		return c.Conn.Write(p)
	}
	c.held = append(c.held, p...)
	return len(p), nil
}

func (c *endNoting) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.EOF) {
		c.ended.Store(true)
	}
	return n, err
}

// streamEnd returns what the end of a stream means that was read without an error:
// errCutShort where a close_notify is missing, so that somebody may have cut it.
func streamEnd(c Conn) error {
	if t, ok := c.(*tlsConn); ok && t.below.ended.Load() {
		return errCutShort
	}
	return nil
}

// errCutShort says that a stream under TLS has ended without its close_notify
// (RFC 8446 section 6.1).
var errCutShort = errors.New("no close_notify before the end of the stream")

// largePiece is how much of a stream is put under TLS at one time, in bytes: its
// records leave together, for each by itself would cost a system call.
const largePiece = 128 << 10

// ReadFrom implements io.ReaderFrom.
func (c *tlsConn) ReadFrom(r io.Reader) (total int64, err error) {
	size := int64(largePiece)
	if l, ok := r.(*io.LimitedReader); ok {
		size = min(size, l.N)
	}
	piece := make([]byte, size)
	for {
		n, err := r.Read(piece)
		if n > 0 {
			if failed := c.writeTogether(piece[:n]); failed != nil {
				return total, failed
			}
			total += int64(n)
		}
		switch {
		case errors.Is(err, io.EOF):
			return total, nil
		case err != nil:
			return total, err
		}
	}
}

func (c *tlsConn) writeTogether(p []byte) error {
	c.below.gather()
	_, err := c.Conn.Write(p)
	return cmp.Or(err, c.below.release())
}

// CloseWrite ends our stream.
func (c *tlsConn) CloseWrite() error {
	return errors.Join(c.Conn.CloseWrite(), c.below.CloseWrite())
}

// Close closes the connection without another word.
func (c *tlsConn) Close() error { return c.below.Close() }

// Abort closes it with a reset.
func (c *tlsConn) Abort() error { return abort(c.below.Conn) }

// serveTLS puts TLS on a connection, as the server of the handshake.
func serveTLS(ctx context.Context, c Conn, config *tls.Config) (*tlsConn, error) {
	below := &endNoting{Conn: c}
	t := &tlsConn{tls.Server(below, config), below}
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", errHandshake, err)
	}
	return t, nil
}
