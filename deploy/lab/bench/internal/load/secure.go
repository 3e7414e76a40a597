package load

import (
	"crypto/tls"
	"net"
	"time"
)

// secured is a socket under TLS, whose server may have any certificate.
type secured struct {
	*tls.Conn
	below socket
}

// secure puts TLS on a socket.
func secure(s socket, config *tls.Config) (*secured, error) {
	t := tls.Client(stream{s}, config)
	if err := t.Handshake(); err != nil {
		return nil, err
	}
	return &secured{t, s}, nil
}

// Close says the end, and closes the socket.
func (s *secured) Close() error {
	_ = s.Conn.CloseWrite() // the server may have closed before
	return s.below.Close()
}

// newSessions returns the TLS of one client: its connections share a session. Its
// keys are those of FTP clients today: crypto/tls would begin with a hybrid of two
// exchanges where the server knows it, and the servers would not do the same work.
func newSessions() *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, ServerName: "benchmark", ClientSessionCache: tls.NewLRUClientSessionCache(1),
		CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP256},
	}
}

// stream is a socket as crypto/tls wants it. The socket has timeouts of its own.
type stream struct{ socket }

func (stream) LocalAddr() net.Addr              { return nil }
func (stream) RemoteAddr() net.Addr             { return nil }
func (stream) SetDeadline(time.Time) error      { return nil }
func (stream) SetReadDeadline(time.Time) error  { return nil }
func (stream) SetWriteDeadline(time.Time) error { return nil }
