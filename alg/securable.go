package alg

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// securable is a client's connection that TLS may be put on in the middle
// (RFC 4217 section 4).
type securable struct {
	Conn // as it came
	tls  atomic.Pointer[tlsConn]
	// cleared says that it was under TLS, which its data may be still.
	cleared atomic.Bool
}

// secure puts TLS on. What was read of the connection already, before, belongs to
// the handshake: a command among it does not count (RFC 4217 section 15.3).
func (c *securable) secure(ctx context.Context, config *tls.Config, before []byte) error {
	ctx, cancel := context.WithTimeout(ctx, handshakeTimeout)
	defer cancel()
	t, err := serveTLS(ctx, &records{Conn: &resumed{c.Conn, bytes.NewReader(before)}}, config)
	if err == nil {
		c.tls.Store(t)
	}
	return err
}

// resumed is a connection of which some was read before.
type resumed struct {
	Conn
	before *bytes.Reader
}

// Read reads what was read before, and then the rest.
func (r *resumed) Read(p []byte) (int, error) {
	if r.before.Len() > 0 {
		return r.before.Read(p)
	}
	return r.Conn.Read(p)
}

// clear ends TLS on both sides (RFC 4217 section 12.3, RFC 8446 section 6.1). It
// returns what was read of the clear text behind it: some clients end without
// another word (curl, by default).
func (c *securable) clear() (text []byte, err error) {
	t := c.tls.Load()
	below := t.below.Conn.(*records)
	below.mayEnd = true
	if err := t.Conn.CloseWrite(); err != nil {
		return nil, err
	}
	n, err := t.Conn.Read(make([]byte, 1))
	switch {
	case n > 0:
		return nil, errNotCleared
	case errors.Is(err, errClearText):
		text = below.header[:below.known]
	case !errors.Is(err, io.EOF) || t.below.ended.Load():
		return nil, cmp.Or(err, errNotCleared)
	}
	c.tls.Store(nil)
	c.cleared.Store(true)
	return text, c.Conn.SetWriteDeadline(time.Time{}) // crypto/tls lets nothing be written behind its end
}

// errNotCleared says that a client goes on under TLS after its CCC.
var errNotCleared = errors.New("no close_notify follows CCC")

// records is a connection that is read one record of TLS at a time (RFC 8446
// section 5.1), so that nothing is read of what comes behind the last one.
type records struct {
	Conn
	header [5]byte
	known  int // of the header, in bytes
	left   int // of the record behind it, in bytes
	// mayEnd says that clear text may stand in the place of the next record.
	mayEnd bool
}

// errClearText says that no record of TLS follows.
var errClearText = errors.New("clear text follows TLS")

// isRecord reports whether b begins a record of TLS: its types are control
// characters, with which no command begins (RFC 8446 appendix B.1).
func isRecord(b byte) bool { return b >= 20 && b <= 24 }

// Read reads what is left of the record, or of its header.
func (r *records) Read(p []byte) (int, error) {
	if r.left == 0 && r.known == len(r.header) {
		r.known = 0
	}
	if r.known < len(r.header) {
		n, err := r.Conn.Read(p[:min(len(p), len(r.header)-r.known)])
		copy(r.header[r.known:], p[:n])
		if first := r.known == 0 && n > 0; first && r.mayEnd && !isRecord(p[0]) {
			r.known = n
			return 0, errClearText
		}
		if r.known += n; r.known == len(r.header) {
			r.left = int(binary.BigEndian.Uint16(r.header[3:]))
		}
		return n, err
	}
	n, err := r.Conn.Read(p[:min(len(p), r.left)])
	r.left -= n
	return n, err
}

// now returns the connection that bytes pass.
func (c *securable) now() Conn {
	if t := c.tls.Load(); t != nil {
		return t
	}
	return c.Conn
}

// info describes the TLS in force, nil if there is none.
func (c *securable) info() *TLSInfo {
	if t := c.tls.Load(); t != nil {
		return describeTLS(t.ConnectionState())
	}
	return nil
}

func (c *securable) Read(p []byte) (int, error)  { return c.now().Read(p) }
func (c *securable) Write(p []byte) (int, error) { return c.now().Write(p) }
func (c *securable) CloseWrite() error           { return c.now().CloseWrite() }

// Abort implements aborter.
func (c *securable) Abort() error { return abort(c.Conn) }

// AtMark implements urgentConn. Under TLS nothing is urgent.
func (c *securable) AtMark() (bool, error) {
	if u, ok := c.now().(urgentConn); ok {
		return u.AtMark()
	}
	return false, nil
}

// WriteUrgent implements urgentConn.
func (c *securable) WriteUrgent(p []byte) (int, error) {
	if u, ok := c.now().(urgentConn); ok {
		return u.WriteUrgent(p)
	}
	return c.Write(p)
}
