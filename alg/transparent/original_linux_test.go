package transparent

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRedirectKeepsTheOriginalDestination(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			e := newEdge(t)
			e.redirect(f)
			server := netip.AddrPortFrom(f.server, ftp)
			l := e.gateway.listen(netip.AddrPortFrom(f.listener, inner), false)
			e.client.dial(Request{Server: server})
			inward := e.gateway.accept(l)
			got, err := OriginalDestination(inward.TCPConn)
			if err != nil || got != server {
				t.Errorf("original destination %s, %v; want %s", got, err, server)
			}
			if near(inward) == server {
				t.Error("the connection was not translated: the test proves nothing")
			}
		})
	}
}

func TestOriginalDestinationOfAStraightConnectionIsItsOwn(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) {
			e := newEdge(t)
			e.redirect(f) // a rule that does not match makes the kernel track too
			straight := netip.AddrPortFrom(f.gateway, inner)
			l := e.gateway.listen(straight, false)
			e.client.dial(Request{Server: straight})
			got, err := OriginalDestination(e.gateway.accept(l).TCPConn)
			if err != nil || got != straight {
				t.Errorf("original destination %s, %v; want %s", got, err, straight)
			}
		})
	}
}

func TestOriginalDestinationFailsWhereNothingIsTracked(t *testing.T) {
	_, c := newHost(t).pair()
	got, err := OriginalDestination(c.TCPConn)
	if !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOPROTOOPT) {
		t.Fatalf("original destination %s, error %v", got, err)
	}
	for _, want := range []string{"original destination of", far(c).String(), near(c).String(), "SO_ORIGINAL_DST"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not name %q", err, want)
		}
	}
}
