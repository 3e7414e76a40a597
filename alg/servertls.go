package alg

import (
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	"ftpalg/alg/wire"
)

// ServerTLS is how a gateway speaks TLS with a server.
type ServerTLS struct {
	// Config is the client's side of the handshake; every session clones it.
	// Without a ServerName the certificate must be for the server's address.
	Config *tls.Config
	// Implicit begins TLS with the connection, without AUTH.
	Implicit bool
}

// errServerTLS says that a server does not do TLS as it should.
var errServerTLS = errors.New("TLS with the server failed")

// latestSession is a cache of one TLS session, for all connections to one
// server: its data connections resume its control connection's, which many
// servers ask for. Its methods are safe for concurrent use.
type latestSession struct {
	mu      sync.Mutex
	session *tls.ClientSessionState
}

// Get implements tls.ClientSessionCache.
func (l *latestSession) Get(string) (*tls.ClientSessionState, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.session, l.session != nil
}

// Put implements tls.ClientSessionCache.
func (l *latestSession) Put(_ string, s *tls.ClientSessionState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s != nil {
		l.session = s
	}
}

// secureServer puts TLS on the connection to the server (RFC 4217 section 4),
// and has its data protected. The greeting, which has come before, is left to
// be read.
func (s *session) secureServer() error {
	s.serverTLS = s.service.ServerTLS.Config.Clone()
	s.serverTLS.ClientSessionCache = new(latestSession)
	if s.serverTLS.ServerName == "" {
		s.serverTLS.ServerName = s.ends.Server.Addr().String()
	}
	below := s.server.conn
	below.SetDeadline(time.Now().Add(s.settings.ConnectTimeout))
	var greeting []byte
	var err error
	clear := newPrologue(below)
	if !s.service.ServerTLS.Implicit {
		if greeting, err = clear.greeting(); err == nil {
			_, err = clear.ask("AUTH TLS", 234)
		}
		if err == nil && len(clear.in.unread()) > 0 {
			err = errors.New("the server says more than 234") // in clear: somebody else may
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errServerTLS, err)
	}
	t := clientTLS(below, s.serverTLS)
	if err := t.HandshakeContext(s.ctx); err != nil {
		return fmt.Errorf("%w: %w", errServerTLS, err)
	}
	p := newPrologue(t)
	if s.service.ServerTLS.Implicit {
		greeting, err = p.greeting()
	}
	for _, command := range []string{"PBSZ 0", "PROT P"} {
		if err == nil {
			_, err = p.ask(command, 200)
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errServerTLS, err)
	}
	below.SetDeadline(time.Time{})
	s.server = newHalf(t, &wire.ReplySplitter{Max: replyLine}, replyLine)
	s.server.in.preload(append(greeting, p.in.unread()...))
	i := describeTLS(t.ConnectionState())
	s.g.observer.Secured(Secured{Session: s.number, Side: FromServer, TLS: *i})
	s.log.Debug("the server's control connection is under TLS", "event", "server_secured", "version", i.Version, "cipher", i.Cipher)
	return nil
}

// clientTLS puts TLS on a connection, as the client of the handshake.
func clientTLS(c Conn, config *tls.Config) *tlsConn {
	below := &endNoting{Conn: c}
	return &tlsConn{tls.Client(below, config), below}
}

// prologue is what the gateway says to a server before a session runs.
type prologue struct {
	conn    Conn
	in      buffer
	lines   wire.ReplySplitter
	replies wire.ReplyReader
}

func newPrologue(c Conn) *prologue {
	return &prologue{conn: c, in: newBuffer(replyLine), lines: wire.ReplySplitter{Max: replyLine}}
}

// longestGreeting bounds what is held of a server's greeting, in bytes.
const longestGreeting = 64 << 10

// greeting reads the server's greeting (RFC 959 section 5.4: 120 may come
// before 220).
func (p *prologue) greeting() (all []byte, err error) {
	for {
		text, code, err := p.reply()
		all = append(all, text...)
		switch {
		case err != nil:
			return nil, err
		case code/100 == 2:
			return all, nil
		case code != 120 || len(all) > longestGreeting:
			return nil, fmt.Errorf("the server greets with %d", code)
		}
	}
}

// ask says a command, and fails unless the reply has the code.
func (p *prologue) ask(command string, want int) ([]byte, error) {
	if _, err := p.conn.Write([]byte(command + "\r\n")); err != nil {
		return nil, err
	}
	text, code, err := p.reply()
	if err == nil && code != want {
		err = fmt.Errorf("the server answers %s with %d", command, code)
	}
	return text, err
}

// reply reads a whole reply.
func (p *prologue) reply() (text []byte, code int, err error) {
	for {
		line, n := p.lines.Next(p.in.unread())
		if line.Bytes == nil {
			if err := p.in.fill(p.conn); err != nil {
				return nil, 0, err
			}
			continue
		}
		text = append(text, line.Bytes...)
		p.in.take(n)
		if len(text) > longestGreeting {
			return nil, 0, errors.New("the server's reply does not end")
		}
		if !line.Begins {
			continue
		}
		if r := p.replies.Line(line.Text()); r.Final {
			return text, r.Code, nil
		}
	}
}

// preload puts bytes into an empty buffer as if they had been read.
func (b *buffer) preload(text []byte) {
	if len(text) > len(b.data) {
		b.data = make([]byte, max(b.max, len(text)))
	}
	b.start, b.end = 0, copy(b.data, text)
}
