package ftp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"ftpalg/deploy/lab/internal/socket"
)

// defaultTimeout is how long either side waits for the other if nothing else
// is said.
const defaultTimeout = 10 * time.Second

// discardDir is where uploads are received and forgotten, for measurements.
const discardDir = "/discard/"

// Server serves files to anybody under any name and password. It behaves as
// servers do that know nothing of NAT: it announces its own address and picks
// any free port. Its fields must not change once Serve was called; all but
// Files may be zero.
type Server struct {
	// Files is what it serves and where uploads go, except those below
	// /discard, which go nowhere.
	Files *Files
	// Announce is the address that a 227 tells. Default: the address at which
	// the control connection arrived.
	Announce netip.Addr
	// Listen opens passive sockets. Default: in the process's namespace.
	Listen func(network, address string) (net.Listener, error)
	// Dial opens active data connections, from the address local if that can
	// be had. Default: in the process's namespace.
	Dial func(ctx context.Context, network, local, address string) (net.Conn, error)
	// Transcript is told each line of each control connection without its
	// line end, from several goroutines at a time.
	Transcript func(sent bool, line string)
	// Timeout limits every wait on a data connection. Default: 10 s. Control
	// connections may be idle for ever.
	Timeout time.Duration

	mu       sync.Mutex
	closed   bool
	open     map[io.Closer]bool
	sessions sync.WaitGroup
}

// Serve accepts control connections until Close, and then returns nil. It
// closes the listener. It may be called for several listeners.
func (s *Server) Serve(listener net.Listener) error {
	if !s.track(listener) {
		return nil
	}
	defer s.untrack(listener)
	for {
		control, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("accept control connection: %w", err)
		}
		s.begin(control)
	}
}

// Close ends the listeners and the sessions, and returns when they are gone.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		_ = c.Close() // it ends either way
	}
	s.mu.Unlock()
	s.sessions.Wait()
}

func (s *Server) begin(control net.Conn) {
	if !s.track(control) {
		return
	}
	s.sessions.Go(func() {
		defer s.untrack(control)
		newSession(s, control).run()
	})
}

// track remembers what Close must end. After Close it ends c at once.
func (s *Server) track(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close() // nobody was promised anything yet
		return false
	}
	if s.open == nil {
		s.open = make(map[io.Closer]bool)
	}
	s.open[c] = true
	return true
}

func (s *Server) untrack(c io.Closer) {
	_ = c.Close() // a second close reports nothing new
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *Server) timeout() time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	return defaultTimeout
}

func (s *Server) listen(network, address string) (net.Listener, error) {
	if s.Listen != nil {
		return s.Listen(network, address)
	}
	return socket.Listen(network, address)
}

func (s *Server) dial(ctx context.Context, network, local, address string) (net.Conn, error) {
	if s.Dial != nil {
		return s.Dial(ctx, network, local, address)
	}
	return socket.Dial(ctx, network, local, address)
}
