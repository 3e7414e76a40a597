package transparent

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestDataListenerHearsThePromisedHostAlone(t *testing.T) {
	for name, c := range map[string]struct {
		at             string
		from, stranger string // stranger is who is promised when another comes
	}{
		"IPv4": {"127.0.0.1:0", "127.0.0.2", "127.0.0.3"},
		"IPv6": {"[::1]:0", "::1", "2001:db8:1::10"},
	} {
		t.Run(name, func(t *testing.T) {
			host := netip.MustParseAddr(c.from)
			come := func(promised netip.Addr) error {
				l, err := ListenData(t.Context(), netip.MustParseAddrPort(c.at), promised)
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				d := net.Dialer{Timeout: 300 * time.Millisecond, LocalAddr: &net.TCPAddr{IP: host.AsSlice()}}
				conn, err := d.Dial("tcp", l.Addr().String())
				if err == nil {
					conn.Close()
				}
				return err
			}
			if err := come(host); err != nil {
				t.Errorf("the promised host: %v", err)
			}
			if !mayAttach(t) {
				t.Skip("this kernel lets only CAP_NET_ADMIN attach filters")
			}
			if err := come(netip.MustParseAddr(c.stranger)); err == nil {
				t.Error("another host has connected")
			}
		})
	}
}

// mayAttach reports whether this process may attach a filter to a socket.
func mayAttach(t *testing.T) bool {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	filter, err := only(netip.MustParseAddr("192.0.2.1"))
	if err != nil {
		t.Fatal(err)
	}
	return attach(fd, filter) == nil
}

// Whoever has the socket cannot take the filter away.
func TestDataListenersFilterStays(t *testing.T) {
	if !mayAttach(t) {
		t.Skip("this kernel lets only CAP_NET_ADMIN attach filters")
	}
	l, err := ListenData(t.Context(), netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddr("127.0.0.2"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
	}); err != nil || failed == nil {
		t.Errorf("the filter was taken away: %v", err)
	}
}

func TestFacingAsksTheRoutes(t *testing.T) {
	a, err := Facing(netip.MustParseAddr("127.0.0.9"))
	if err != nil || a != netip.MustParseAddr("127.0.0.1") {
		t.Errorf("%s, %v", a, err)
	}
}
