package rules

import (
	"fmt"
	"net/netip"
	"testing"
)

// Both on an edge that tracked the connection from its beginning and on one
// that began to track with our own rules: there the kernel takes the next
// packet for the first (net.netfilter.nf_conntrack_tcp_loose).
func TestAConnectionOlderThanTheInterceptionGoesOn(t *testing.T) {
	for name, before := range map[string]string{"tracked": "", "untracked": "iptables -F; iptables -P FORWARD ACCEPT"} {
		for method, listenAt := range map[Method]string{TPROXY: "127.0.0.1:4021", REDIRECT: "0.0.0.0:4021"} {
			t.Run(fmt.Sprintf("%s, method %d", name, method), func(t *testing.T) {
				generations(t, func(t *testing.T) {
					e := newEdge(t)
					sh(t, "iptables -A FORWARD -p tcp --dport 21 -j ACCEPT;"+before)
					accepted := listen(t, e.server, "198.18.1.20:21", nil)
					older := dial(t, e.client, "203.0.113.10:0", "198.18.1.20:21", comes)
					if older == nil {
						t.Fatal("no connection before the start")
					}
					server := arrived(t, accepted)
					startManager(t, Options{}, Static{Intercepts: []Intercept{
						{Name: "wan", Interface: "wan", Ports: []uint16{21}, Method: method, Port4: 4021}}})
					tell(t, older, server, "NOOP\r\n")
					tell(t, server, older, "200 ok\r\n")

					here := must(netnsHere())
					defer here.Close()
					intercepted := listen(t, here, listenAt, transparent)
					sh(t, "iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT")
					newer := dial(t, e.client, "203.0.113.10:0", "198.18.1.20:21", comes)
					if newer == nil {
						t.Fatalf("a new connection was not taken over:\n%s", saved(t))
					}
					gateway := arrived(t, intercepted)
					if gateway == nil {
						t.Fatal("a new connection went past the listener")
					}
					tell(t, newer, gateway, "NOOP\r\n")
					tell(t, gateway, newer, "200 ok\r\n")
				})
			})
		}
	}
}

// The kernel answers with cookies when too many connections are half open.
func TestTrafficIsInterceptedWhileSYNCookiesAreSent(t *testing.T) {
	generations(t, func(t *testing.T) {
		e := newEdge(t)
		write(t, "ipv4/tcp_syncookies", "2")
		t.Cleanup(func() { write(t, "ipv4/tcp_syncookies", "1") })
		here := must(netnsHere())
		defer here.Close()
		for method, at := range map[Method]string{TPROXY: "127.0.0.1:4021", REDIRECT: "0.0.0.0:4022"} {
			m := startManager(t, Options{}, Static{Intercepts: []Intercept{
				{Name: "wan", Interface: "wan", Ports: []uint16{21}, Method: method, Port4: netip.MustParseAddrPort(at).Port()}}})
			accepted := listen(t, here, at, transparent)
			client := dial(t, e.client, "203.0.113.10:0", "198.18.1.20:21", comes)
			if client == nil {
				t.Fatalf("method %d: the connection was not taken over", method)
			}
			gateway := arrived(t, accepted)
			if gateway == nil {
				t.Fatalf("method %d: the connection went past the listener", method)
			}
			tell(t, client, gateway, "NOOP\r\n")
			if err := m.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A rule of somebody else may set our bit of the packet mark.
func TestTheMarkAloneOpensNothing(t *testing.T) {
	generations(t, func(t *testing.T) {
		e := newEdge(t)
		startManager(t, Options{}, Static{Intercepts: []Intercept{
			{Name: "wan", Interface: "wan", Ports: []uint16{21}, Method: TPROXY, Port4: 4021}}})
		sh(t, "iptables -t mangle -A PREROUTING -p tcp --syn -j MARK --set-xmark "+bit(DefaultMark))
		here := must(netnsHere())
		defer here.Close()
		for _, at := range []string{"203.0.113.1:22", "198.18.1.1:21"} {
			listen(t, here, at, nil)
		}
		if dial(t, e.client, "203.0.113.10:0", "203.0.113.1:22", refused) != nil {
			t.Error("a marked connection to another port came in")
		}
		if dial(t, e.server, "198.18.1.20:0", "198.18.1.1:21", refused) != nil {
			t.Error("a marked connection from another interface came in")
		}
	})
}
