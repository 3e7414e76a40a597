package alg

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/wire"
)

// TLSInfo describes a connection under TLS whose other end is the gateway.
type TLSInfo struct {
	Version string `json:"version"`
	Cipher  string `json:"cipher"`
	// Resumed says that it goes on with an earlier connection's secrets.
	Resumed bool `json:"resumed"`
	// Name is that which the client asked for (SNI).
	Name string `json:"name,omitempty"`
	// Client is the subject of the client's certificate, if it has shown one.
	Client string `json:"client,omitempty"`
}

func describeTLS(s tls.ConnectionState) *TLSInfo {
	i := &TLSInfo{Version: tls.VersionName(s.Version), Cipher: tls.CipherSuiteName(s.CipherSuite), Resumed: s.DidResume, Name: s.ServerName}
	if len(s.PeerCertificates) > 0 {
		i.Client = s.PeerCertificates[0].Subject.String()
	}
	return i
}

// String returns the version, the cipher, and whether it resumes another
// connection; "" for no TLS.
func (i *TLSInfo) String() string {
	switch {
	case i == nil:
		return ""
	case i.Resumed:
		return i.Version + ", " + i.Cipher + ", resumed"
	}
	return i.Version + ", " + i.Cipher
}

// version returns the version alone, "" for no TLS.
func (i *TLSInfo) version() string {
	if i == nil {
		return ""
	}
	return i.Version
}

// handshakeTimeout bounds the handshake of a control connection.
const handshakeTimeout = 30 * time.Second

// errHandshake ends a session whose client asked for TLS and could not do it.
var errHandshake = errors.New("TLS handshake failed")

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

func (s *session) noteTLSFailed(err error) {
	s.log.Info("TLS with the client failed", "event", "tls_failed", "client", s.ends.Client, "error", err)
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

// plain returns the connection below any TLS.
func plain(c Conn) Conn {
	if s, ok := c.(*securable); ok {
		return s.Conn
	}
	return c
}

// boundTo returns a configuration whose sessions are those of one control
// connection: another one's, or another gateway's, are not resumed.
func boundTo(config *tls.Config, session uint64) *tls.Config {
	own := config.Clone()
	mark := fmt.Appendf(nil, "ftpalg %d %s", session, rand.Text())
	own.WrapSession = func(c tls.ConnectionState, s *tls.SessionState) ([]byte, error) {
		s.Extra = append(s.Extra, mark)
		return own.EncryptTicket(c, s)
	}
	own.UnwrapSession = func(ticket []byte, c tls.ConnectionState) (*tls.SessionState, error) {
		s, err := own.DecryptTicket(ticket, c)
		if err != nil || s == nil || !slices.ContainsFunc(s.Extra, func(b []byte) bool { return bytes.Equal(b, mark) }) {
			return nil, err
		}
		return s, nil
	}
	return own
}

// errNotResumed ends a data connection that does not resume its control
// connection's session: somebody else may have made it.
var errNotResumed = errors.New("it does not resume the TLS session of its control connection")

// notResumedReply takes the place of the server's reply to such a transfer
// (RFC 4217 section 10, 522).
const notResumedReply = "522 The data connection must resume the TLS session of the control connection.\r\n"

// prepareClientTLS sets how TLS with the client is done, once the session has
// its number.
func (s *session) prepareClientTLS() {
	if s.tls = s.service.TLS; s.service.ResumeData && s.tls != nil {
		s.tls = boundTo(s.tls, s.number)
	}
}

// changeTLS begins TLS with the client, or ends it: the reply that says so is on its
// way, and what is queued since then waits.
func (s *session) changeTLS() error {
	if s.client.conn.(*securable).tls.Load() != nil {
		return s.clearClient()
	}
	return s.secureClient()
}

// clearClient ends the TLS of the client's control connection.
func (s *session) clearClient() error {
	s.mu.Lock()
	for s.client.writing {
		s.changed.Wait() // the reply goes before the end
	}
	s.mu.Unlock()
	s.client.conn.SetReadDeadline(time.Now().Add(handshakeTimeout))
	text, err := s.client.conn.(*securable).clear()
	if err == nil && len(text) > 0 && len(s.client.in.unread()) > 0 {
		err = errNotCleared
	}
	if err != nil {
		return fmt.Errorf("%w: it does not end: %w", errHandshake, err)
	}
	if len(text) > 0 {
		s.client.in.preload(text)
	}
	s.log.Info("the client's control connection goes on in clear", "event", "cleared")
	s.mu.Lock()
	s.dialogue.Cleared()
	s.mu.Unlock()
	return s.goOn()
}

// secureClient begins TLS with the client.
func (s *session) secureClient() error {
	s.mu.Lock()
	before, _ := s.client.in.take(len(s.client.in.unread()))
	before = bytes.Clone(before)
	s.client.conn.SetReadDeadline(s.closeBy)
	s.mu.Unlock()
	if err := s.beginTLS(before); err != nil {
		return err
	}
	s.mu.Lock()
	s.dialogue.Secured()
	s.mu.Unlock()
	return s.goOn()
}

// goOn lets go what has waited for TLS to begin or to end.
func (s *session) goOn() error {
	s.mu.Lock()
	s.switchTLS = false
	s.client.release()
	s.client.conn.SetReadDeadline(s.closeBy)
	s.mu.Unlock()
	return s.flush(&s.client)
}

func (s *session) beginTLS(before []byte) error {
	c := s.client.conn.(*securable)
	if err := c.secure(s.ctx, s.tls, before); err != nil {
		return err
	}
	i := c.info()
	s.g.observer.Secured(Secured{Session: s.number, Side: FromClient, TLS: *i})
	s.log.Debug("the client's control connection is under TLS", "event", "secured", "version", i.Version, "cipher", i.Cipher,
		"resumed", i.Resumed, "name", i.Name, "client_certificate", i.Client)
	return nil
}

// orNotResumed returns the line that the client gets in the place of the server's:
// one that says why its data connection was ended here, if it was. The caller
// holds mu.
func (s *session) orNotResumed(v dialogue.Verdict, line wire.Line) wire.Line {
	r := s.transfer.Load()
	if v.Ended == nil || !line.Ends || r == nil || r.data == nil || r.data.relay == nil || !r.data.relay.notResumed.Load() {
		return line
	}
	line.Bytes = []byte(notResumedReply)
	return line
}
