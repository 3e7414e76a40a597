package daemon

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/config"
)

func TestVisitorsBeyondTheMostWaitUntilOneHasGone(t *testing.T) {
	at := freeAddress(t)
	d := &Daemon{config: &config.Config{Admin: config.Admin{HTTP: at}}}
	came, release := make(chan struct{}, 2*mostVisitors), make(chan struct{})
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	w := d.openViewer(l, "", admin.Pages{"GET /wait": http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		came <- struct{}{}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})})
	ended := make(chan error, 1)
	go func() { ended <- w.server.Serve() }()
	defer func() {
		close(release)
		w.before()
		w.server.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	first := visit(t, at)
	for range mostVisitors - 1 {
		visit(t, at)
	}
	for range mostVisitors {
		await(t, came)
	}
	visit(t, at)
	select {
	case <-came:
		t.Errorf("%d visitors were served at one time", mostVisitors+1)
	case <-time.After(100 * time.Millisecond):
	}
	first.Close()
	await(t, came)
}

// visit asks for a page and does not wait for it.
func visit(t *testing.T, at netip.AddrPort) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := fmt.Fprintf(c, "GET /wait HTTP/1.1\r\nHost: %s\r\n\r\n", at); err != nil {
		t.Fatal(err)
	}
	return c
}

func await(t *testing.T, came <-chan struct{}) {
	t.Helper()
	select {
	case <-came:
	case <-time.After(10 * time.Second):
		t.Fatal("a visitor is not served")
	}
}

func freeAddress(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).AddrPort()
}
