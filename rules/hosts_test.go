package rules

import (
	"context"
	"net"
	"net/netip"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/ti-mo/conntrack"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// edge is a strict network edge, in the test process's own namespace,
// between two hosts:
//
//	client 203.0.113.10  ── wan 203.0.113.1   edge  198.18.1.1 lan ──  198.18.1.20  server
//	    2001:db8:1::10      2001:db8:1::1          2001:db8:2::1      2001:db8:2::20
//
// The client has 203.0.113.11 and 2001:db8:1::11 as well. The hosts have the edge as their
// router. Nothing passes the edge but what is established.
type edge struct{ client, server netns.NsHandle }

func newEdge(t *testing.T) edge {
	t.Helper()
	write(t, "ipv4/ip_forward", "1")
	write(t, "ipv6/conf/all/forwarding", "1")
	forgetConnections(t)
	t.Cleanup(func() { forgetConnections(t) }) // a later test may promise the same ports
	e := edge{newHost(t), newHost(t)}
	cable(t, "wan", []string{"203.0.113.1/24", "2001:db8:1::1/64"}, e.client, []string{"203.0.113.10/24", "203.0.113.11/24", "2001:db8:1::10/64", "2001:db8:1::11/64"})
	cable(t, "lan", []string{"198.18.1.1/24", "2001:db8:2::1/64"}, e.server, []string{"198.18.1.20/24", "2001:db8:2::20/64"})
	router(t, e.client, "203.0.113.1", "2001:db8:1::1")
	router(t, e.server, "198.18.1.1", "2001:db8:2::1")
	sh(t, `for t in iptables ip6tables; do $t -P INPUT DROP; $t -P FORWARD DROP
		$t -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
		$t -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT; done
		ip6tables -A INPUT -p icmpv6 -j ACCEPT`)
	return e
}

// write sets a sysctl of the edge.
func write(t *testing.T, file, value string) {
	t.Helper()
	if err := os.WriteFile("/proc/sys/net/"+file, []byte(value), 0o644); err != nil {
		t.Fatal(err)
	}
}

// forgetConnections keeps what an earlier test did from meeting this one.
func forgetConnections(t *testing.T) {
	t.Helper()
	c, err := conntrack.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
}

// newHost makes a namespace that ends with the test. It has no name, so that
// nothing can be left behind.
func newHost(t *testing.T) netns.NsHandle {
	t.Helper()
	made := make(chan netns.NsHandle)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		h, err := netns.New()
		if err != nil {
			t.Error(err)
		}
		made <- h
	}()
	h := <-made
	t.Cleanup(func() { h.Close() })
	return h
}

// on runs a function on a host and waits for it.
func on(t *testing.T, h netns.NsHandle, do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err := netns.Set(h); err != nil {
			t.Error(err)
			return
		}
		do()
	}()
	<-done
}

func cable(t *testing.T, name string, here []string, there netns.NsHandle, addresses []string) {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	link := &netlink.Veth{LinkAttrs: attrs, PeerName: "eth0", PeerNamespace: netlink.NsFd(int(there))}
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { netlink.LinkDel(link) })
	up(t, name, here)
	on(t, there, func() {
		up(t, "lo", nil)
		up(t, "eth0", addresses)
	})
}

func up(t *testing.T, name string, addresses []string) {
	link, err := netlink.LinkByName(name)
	if err == nil {
		err = netlink.LinkSetUp(link)
	}
	for _, a := range addresses {
		if err == nil {
			err = netlink.AddrAdd(link, &netlink.Addr{IPNet: must(netlink.ParseIPNet(a)), Flags: unix.IFA_F_NODAD})
		}
	}
	if err != nil {
		t.Errorf("set up %s: %v", name, err)
	}
}

func router(t *testing.T, h netns.NsHandle, gateways ...string) {
	t.Helper()
	on(t, h, func() {
		for _, g := range gateways {
			if err := netlink.RouteAdd(&netlink.Route{Gw: net.ParseIP(g)}); err != nil {
				t.Error(err)
			}
		}
	})
}

const (
	// comes is how long a connection is waited for that must come about.
	comes = 20 * time.Second
	// refused is how long one is waited for that must not: refusals are
	// silent, and the first retransmission (after 1 s) is worth a look.
	refused = 1200 * time.Millisecond
)

// dial connects from a host and returns the connection, nil if none came
// about. A zero port in from lets the kernel choose.
func dial(t *testing.T, h netns.NsHandle, from, to string, patience time.Duration) net.Conn {
	t.Helper()
	local := net.TCPAddrFromAddrPort(netip.MustParseAddrPort(from))
	d := net.Dialer{LocalAddr: local, Timeout: patience}
	var c net.Conn
	on(t, h, func() { c, _ = d.Dial("tcp", to) })
	if c != nil {
		t.Cleanup(func() { c.Close() })
	}
	return c
}

// listen accepts connections on a host and hands them on.
func listen(t *testing.T, h netns.NsHandle, at string, control func(network, address string, c syscall.RawConn) error) <-chan net.Conn {
	t.Helper()
	var l net.Listener
	on(t, h, func() {
		var err error
		if l, err = (&net.ListenConfig{Control: control}).Listen(context.Background(), "tcp", at); err != nil {
			t.Errorf("listen at %s: %v", at, err)
		}
	})
	if l == nil {
		t.FailNow()
	}
	accepted := make(chan net.Conn, 100)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	t.Cleanup(func() { l.Close() })
	return accepted
}

// arrived returns the next accepted connection, nil if none comes.
func arrived(t *testing.T, accepted <-chan net.Conn) net.Conn {
	select {
	case c := <-accepted:
		t.Cleanup(func() { c.Close() })
		return c
	case <-time.After(comes):
		return nil
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// netnsHere returns the edge's own namespace.
func netnsHere() (netns.NsHandle, error) { return netns.Get() }
