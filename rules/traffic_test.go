package rules

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"ftpalg/alg/expect"
)

// passage is a promise and what the two ends of its connection see.
type passage struct {
	name string
	expect.Expectation
	from     string // where the connecting end binds its socket
	stranger string // another source that must not come in; "" for none
	seenAs   string // the source as the other end sees it; port 0: any
}

func promised(id expect.ID, mode expect.Mode, from, to, target, seen string) expect.Expectation {
	return expect.Expectation{
		ID: id, Session: 3, Mode: mode, Until: time.Now().Add(time.Minute),
		From: netip.MustParseAddr(from), Reached: netip.MustParseAddrPort(to), Target: netip.MustParseAddrPort(target), Seen: netip.MustParseAddr(seen),
	}
}

func passages() []passage {
	return []passage{
		{"PASV, DNAT", promised(1, expect.PASV, "203.0.113.10", "203.0.113.1:50001", "198.18.1.20:30001", "203.0.113.10"),
			"203.0.113.10:0", "203.0.113.11:0", "203.0.113.10:0"},
		{"PASV, DNAT and SNAT", promised(2, expect.PASV, "203.0.113.10", "203.0.113.1:50002", "198.18.1.20:30002", "198.18.1.1"),
			"203.0.113.10:0", "203.0.113.11:0", "198.18.1.1:0"},
		{"PASV, routed", promised(3, expect.PASV, "203.0.113.10", "198.18.1.20:30003", "198.18.1.20:30003", "203.0.113.10"),
			"203.0.113.10:0", "203.0.113.11:0", "203.0.113.10:0"},
		{"PASV, SNAT", promised(4, expect.PASV, "203.0.113.10", "198.18.1.20:30004", "198.18.1.20:30004", "198.18.1.1"),
			"203.0.113.10:0", "203.0.113.11:0", "198.18.1.1:0"},
		{"PASV, another port", promised(5, expect.PASV, "203.0.113.10", "198.18.1.20:50005", "198.18.1.20:30005", "203.0.113.10"),
			"203.0.113.10:0", "203.0.113.11:0", "203.0.113.10:0"},
		{"PORT, DNAT and SNAT, from port 20", promised(6, expect.PORT, "198.18.1.20", "198.18.1.1:51006", "203.0.113.10:40006", "203.0.113.1"),
			"198.18.1.20:20", "", "203.0.113.1:20"},
		{"EPSV, IPv6, routed", promised(7, expect.EPSV, "2001:db8:1::10", "[2001:db8:2::20]:30007", "[2001:db8:2::20]:30007", "2001:db8:1::10"),
			"[2001:db8:1::10]:0", "[2001:db8:1::11]:0", "[2001:db8:1::10]:0"},
		{"EPRT, IPv6, DNAT and SNAT", promised(8, expect.EPRT, "2001:db8:2::20", "[2001:db8:2::1]:51008", "[2001:db8:1::10]:40008", "2001:db8:1::1"),
			"[2001:db8:2::20]:20", "", "[2001:db8:1::1]:20"},
	}
}

// hosts returns the connecting and the listening end.
func (p passage) hosts(e edge) (connecting, listening netns.NsHandle) {
	if p.Mode.Passive() {
		return e.client, e.server
	}
	return e.server, e.client
}

func (p passage) anyPort() string { return netip.AddrPortFrom(p.From, 0).String() }

// A pinhole admits the promised connection, nobody else, nothing before it
// is open, no second one, and nothing after it is closed.
func TestAPinholeAdmitsExactlyOneConnection(t *testing.T) {
	generations(t, func(t *testing.T) {
		e := newEdge(t)
		m := startManager(t, Options{}, Static{})
		all := passages()
		accepted := map[expect.ID]<-chan net.Conn{}
		for _, p := range all {
			_, listening := p.hosts(e)
			accepted[p.ID] = listen(t, listening, p.Target.String(), nil)
		}
		noneComes(t, e, all, "before the pinhole was open", func(p passage) string { return p.from })
		for _, p := range all {
			mustOpen(t, m, p.Expectation)
		}
		noneComes(t, e, all, "from a stranger", func(p passage) string { return p.stranger })
		for _, p := range all {
			p.pass(t, e, accepted[p.ID])
		}
		noneComes(t, e, all, "a second time", passage.anyPort)
		for _, p := range all {
			m.Close(p.ID)
		}
		eventually(t, "the rules are swept", func() bool { return len(m.Pinholes()) == 0 })
		if strings.Contains(saved(t), "session 3") {
			t.Errorf("rules are left:\n%s", saved(t))
		}
		noneComes(t, e, all, "after the pinhole was closed", passage.anyPort)
	})
}

// pass makes the promised connection and sends a byte through it.
func (p passage) pass(t *testing.T, e edge, accepted <-chan net.Conn) {
	connecting, _ := p.hosts(e)
	c := dial(t, connecting, p.from, p.Reached.String(), comes)
	if c == nil {
		t.Errorf("%s: the promised connection was refused:\n%s", p.name, saved(t))
		return
	}
	other := arrived(t, accepted)
	if other == nil {
		t.Errorf("%s: the promised connection went elsewhere", p.name)
		return
	}
	got, want := netip.MustParseAddrPort(other.RemoteAddr().String()), netip.MustParseAddrPort(p.seenAs)
	if got.Addr() != want.Addr() || want.Port() != 0 && got.Port() != want.Port() {
		t.Errorf("%s: the far side sees %s, want %s", p.name, got, want)
	}
	if _, err := c.Write([]byte("x")); err != nil {
		t.Errorf("%s: %v", p.name, err)
	}
	if n, err := other.Read(make([]byte, 1)); n != 1 {
		t.Errorf("%s: %v", p.name, err)
	}
}

// noneComes tries all passages at once, each from the source that the
// function names.
func noneComes(t *testing.T, e edge, all []passage, when string, from func(passage) string) {
	t.Helper()
	var tries sync.WaitGroup
	for _, p := range all {
		source := from(p)
		if source == "" {
			continue
		}
		connecting, _ := p.hosts(e)
		tries.Go(func() {
			if dial(t, connecting, source, p.Reached.String(), refused) != nil {
				t.Errorf("%s: a connection came through %s", p.name, when)
			}
		})
	}
	tries.Wait()
}

func TestOfManyAtOnceOneComesThrough(t *testing.T) {
	generations(t, func(t *testing.T) {
		e := newEdge(t)
		m := startManager(t, Options{}, Static{})
		for _, p := range passages()[:3] {
			p.oneOfMany(t, m, e)
		}
	})
}

// oneOfMany opens a pinhole and makes many connections at once. It asks the
// listening end how many came: on a busy machine one that has come about may
// be noticed late by the end that made it.
func (p passage) oneOfMany(t *testing.T, m *Manager, e edge) {
	accepted := listen(t, e.server, p.Target.String(), nil)
	mustOpen(t, m, p.Expectation)
	var tries sync.WaitGroup
	for range 20 {
		tries.Go(func() { dial(t, e.client, p.from, p.Reached.String(), refused) })
	}
	if arrived(t, accepted) == nil {
		t.Errorf("%s: no connection came through, want 1", p.name)
	}
	tries.Wait()
	if more := len(accepted); more > 0 {
		t.Errorf("%s: %d connections came through, want 1", p.name, 1+more)
	}
}

func TestTheKernelEndsAPromiseByItself(t *testing.T) {
	generations(t, func(t *testing.T) {
		e := newEdge(t)
		m, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Start(t.Context(), Static{}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { Cleanup(t.Context(), Options{}) })
		brief, lasting := passages()[0].Expectation, passages()[0].Expectation
		lasting.ID, lasting.Reached = 2, netip.MustParseAddrPort("203.0.113.1:50002")
		brief.Until = time.Now().Add(3 * time.Second) // the process must die before it
		listen(t, e.server, brief.Target.String(), nil)
		mustOpen(t, m, brief)
		mustOpen(t, m, lasting)
		kill(m)
		if !strings.Contains(saved(t), "session 3 PASV 1") {
			t.Fatal("the brief promise was not left behind")
		}
		time.Sleep(time.Until(brief.Until.Truncate(time.Second).Add(2 * time.Second)))
		if dial(t, e.client, "203.0.113.10:0", brief.Reached.String(), refused) != nil {
			t.Error("a promise outlived its deadline")
		}
		if dial(t, e.client, "203.0.113.10:0", lasting.Reached.String(), comes) == nil {
			t.Error("a promise did not outlive the process")
		}
	})
}

// transparent lets a socket take connections to foreign addresses
// (IP_TRANSPARENT in ip(7)).
func transparent(network, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		if network == "tcp6" {
			unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1)
			return
		}
		unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TRANSPARENT, 1)
	})
}

func TestTrafficIsIntercepted(t *testing.T) {
	for _, c := range []struct {
		name             string
		method           Method
		listenAt         string
		control          func(string, string, syscall.RawConn) error
		from, to, direct string
		local            string // the accepted socket's own address
	}{
		{"TPROXY, IPv4", TPROXY, "127.0.0.1:4021", transparent, "203.0.113.10:0", "198.18.1.20:21", "203.0.113.1:4021", "198.18.1.20:21"},
		{"TPROXY, IPv6", TPROXY, "[::1]:6021", transparent, "[2001:db8:1::10]:0", "[2001:db8:2::20]:21", "[2001:db8:1::1]:6021", "[2001:db8:2::20]:21"},
		{"REDIRECT, IPv4", REDIRECT, "0.0.0.0:4021", nil, "203.0.113.10:0", "198.18.1.20:21", "203.0.113.1:4021", "203.0.113.1:4021"},
		{"REDIRECT, IPv6", REDIRECT, "[::]:6021", nil, "[2001:db8:1::10]:0", "[2001:db8:2::20]:21", "[2001:db8:1::1]:6021", "[2001:db8:1::1]:6021"},
	} {
		t.Run(c.name, func(t *testing.T) {
			generations(t, func(t *testing.T) {
				e := newEdge(t)
				startManager(t, Options{}, Static{Intercepts: []Intercept{
					{Name: "wan", Interface: "wan", Ports: []uint16{21}, Method: c.method, Port4: 4021, Port6: 6021}}})
				here := must(netnsHere())
				defer here.Close()
				accepted := listen(t, here, c.listenAt, c.control)
				conn := dial(t, e.client, c.from, c.to, comes)
				if conn == nil {
					t.Fatalf("the connection was not taken over:\n%s", saved(t))
				}
				got := arrived(t, accepted)
				if got == nil || got.LocalAddr().String() != c.local {
					t.Fatalf("accepted %v, want a connection to %s", got, c.local)
				}
				if n, err := conn.Write([]byte("x")); n != 1 {
					t.Error(err)
				}
				if n, err := got.Read(make([]byte, 1)); n != 1 {
					t.Error(err)
				}
				gateway := netip.AddrPortFrom(netip.MustParseAddrPort(c.direct).Addr(), 21).String()
				var tries sync.WaitGroup
				for to, what := range map[string]string{
					c.direct: "made straight to the listener came through", gateway: "to the edge itself was taken over"} {
					tries.Go(func() {
						if dial(t, e.client, c.from, to, refused) != nil {
							t.Errorf("a connection %s", what)
						}
					})
				}
				tries.Wait()
			})
		})
	}
}

func TestAServiceIsAccepted(t *testing.T) {
	generations(t, func(t *testing.T) {
		e := newEdge(t)
		m := startManager(t, Options{}, Static{})
		here := must(netnsHere())
		defer here.Close()
		listen(t, here, "203.0.113.1:2100", nil)
		if dial(t, e.client, "203.0.113.10:0", "203.0.113.1:2100", refused) != nil {
			t.Fatal("the edge is not strict")
		}
		if err := m.Apply(t.Context(), Static{Services: []Service{{Name: "legacy", Address: netip.MustParseAddrPort("203.0.113.1:2100")}}}); err != nil {
			t.Fatal(err)
		}
		if dial(t, e.client, "203.0.113.10:0", "203.0.113.1:2100", comes) == nil {
			t.Error("the service is not accepted")
		}
		if err := m.Apply(t.Context(), Static{}); err != nil {
			t.Fatal(err)
		}
		if dial(t, e.client, "203.0.113.10:0", "203.0.113.1:2100", refused) != nil {
			t.Error("the service is still accepted")
		}
	})
}
