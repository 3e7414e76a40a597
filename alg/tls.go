package alg

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"slices"
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

func (s *session) noteTLSFailed(err error) {
	s.log.Info("TLS with the client failed", "event", "tls_failed", "client", s.ends.Client, "error", err)
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
