package examples

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// server is an FTP server that remembers who came, and where it was sent.
type server struct {
	files *ftp.Files

	mu      sync.Mutex
	clients []netip.Addr     // of control connections
	sentTo  []netip.AddrPort // by PORT and EPRT
}

// startServer serves pub/file at an address of the host.
func startServer(t *testing.T, h *lab.Host, address string) *server {
	t.Helper()
	s := &server{files: ftp.NewFiles(map[string]ftp.Content{"pub/file": ftp.Random(1, 300_000)})}
	listener, err := h.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context, network, local, address string) (net.Conn, error) {
		s.note(func() { s.sentTo = append(s.sentTo, netip.MustParseAddrPort(address)) })
		return h.Dial(ctx, network, local, address)
	}
	serving := &ftp.Server{Files: s.files, Listen: h.Listen, Dial: dial}
	ended := make(chan error, 1)
	go func() { ended <- serving.Serve(watched{listener, s}) }()
	t.Cleanup(func() {
		serving.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// watched is a listener that tells the server who came.
type watched struct {
	net.Listener
	server *server
}

func (w watched) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err == nil {
		from := c.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
		w.server.note(func() { w.server.clients = append(w.server.clients, from) })
	}
	return c, err
}

func (s *server) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// lastClient returns where the latest control connection came from.
func (s *server) lastClient() (last netip.Addr) {
	s.note(func() {
		if n := len(s.clients); n > 0 {
			last = s.clients[n-1]
		}
	})
	return last
}

// lastSentTo returns where the latest active data connection was to go.
func (s *server) lastSentTo() (last netip.AddrPort) {
	s.note(func() {
		if n := len(s.sentTo); n > 0 {
			last = s.sentTo[n-1]
		}
	})
	return last
}
