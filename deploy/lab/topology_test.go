package lab_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/labtest"
)

const (
	// answered is how long a connection may take that must come about, on a
	// busy machine too.
	answered = 20 * time.Second
	// dropped is how long one is tried that must not: a dropped packet is
	// never answered.
	dropped = 500 * time.Millisecond
)

func TestTopologiesConnectWhatTheyShould(t *testing.T) {
	type attempt struct {
		from *lab.Host
		to   string
		on   *lab.Host
		want bool
	}
	tests := []struct {
		name     string
		topology func(context.Context, string) (*lab.Topology, error)
		attempts func(*lab.Topology) []attempt
	}{
		{"inbound", lab.Inbound, func(top *lab.Topology) []attempt {
			return []attempt{
				{top.Client, "203.0.113.1", top.Gateway, true},
				{top.Gateway, "198.18.1.20", top.Server, true},
				{top.Server, "203.0.113.1", top.Gateway, true},
				{top.Client, "198.18.1.20", top.Server, false},
			}
		}},
		{"outbound", lab.Outbound, func(top *lab.Topology) []attempt {
			return []attempt{
				{top.Client, "198.18.0.1", top.Gateway, true},
				{top.Gateway, "203.0.113.20", top.Server, true},
				{top.Server, "198.18.0.10", top.Client, false},
			}
		}},
		{"routed", lab.Routed, func(top *lab.Topology) []attempt {
			return []attempt{
				{top.Client, "192.0.2.20", top.Server, true},
				{top.Server, "203.0.113.10", top.Client, true},
			}
		}},
		{"two NATs", lab.TwoNATs, func(top *lab.Topology) []attempt {
			return []attempt{
				{top.Client, "198.18.0.1", top.Edge, true},
				{top.Edge, "203.0.113.1", top.Gateway, true},
				{top.Gateway, "198.18.1.20", top.Server, true},
				{top.Server, "203.0.113.2", top.Edge, false},
			}
		}},
		{"cloud", lab.Cloud, func(top *lab.Topology) []attempt {
			return []attempt{
				{top.Client, "203.0.113.80", top.Gateway, true},
				{top.Gateway, "203.0.113.10", top.Client, true},
				{top.Gateway, "198.18.1.20", top.Server, true},
				{top.Client, "198.18.2.10", top.Gateway, false},
			}
		}},
		{"IPv6", lab.IPv6, func(top *lab.Topology) []attempt {
			return []attempt{
				{top.Client, "2001:db8:2::20", top.Server, true},
				{top.Server, "2001:db8:1::10", top.Client, true},
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			top := labtest.New(t, tt.topology)
			for _, a := range tt.attempts(top) {
				patience := dropped
				if a.want {
					patience = answered
				}
				if err := reach(t, a.from, a.to, a.on, patience); (err == nil) != a.want {
					t.Errorf("%s to %s on %s: %v, want success %v", a.from.Name(), a.to, a.on.Name(), err, a.want)
				}
			}
		})
	}
}

func TestStrictEdgeLetsOnlyRepliesThrough(t *testing.T) {
	for name, topology := range map[string]func(context.Context, string) (*lab.Topology, error){
		"IPv4": lab.Routed, "IPv6": lab.IPv6,
	} {
		t.Run(name, func(t *testing.T) {
			top := labtest.New(t, topology)
			if err := top.Gateway.Strict(); err != nil {
				t.Fatal(err)
			}
			if err := reach(t, top.Client, top.Own.String(), top.Server, dropped); err == nil {
				t.Error("a connection crossed the strict edge")
			}
			xtables, port := top.Gateway.Iptables, "2121"
			if top.Own.Is6() {
				xtables = top.Gateway.Ip6tables
			}
			if _, err := xtables("-I", "FORWARD", "-p", "tcp", "--dport", port, "-j", "ACCEPT"); err != nil {
				t.Fatal(err)
			}
			if err := reach(t, top.Client, top.Own.String(), top.Server, answered); err != nil {
				t.Errorf("an accepted connection does not cross the strict edge: %v", err)
			}
		})
	}
}

func TestStrictRulesReadLikeThis(t *testing.T) {
	want := map[string]string{
		"iptables": `-P INPUT DROP
-P FORWARD DROP
-P OUTPUT ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
`,
		"ip6tables": `-P INPUT DROP
-P FORWARD DROP
-P OUTPUT ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A INPUT -p ipv6-icmp -j ACCEPT
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
`,
	}
	h := host(t, labtest.Network(t), "one")
	if err := h.Strict(); err != nil {
		t.Fatal(err)
	}
	for program, xtables := range map[string]func(...string) (string, error){"iptables": h.Iptables, "ip6tables": h.Ip6tables} {
		got, err := xtables("-S")
		if err != nil || got != want[program] {
			t.Errorf("%s -S: %v\n%s\nwant\n%s", program, err, got, want[program])
		}
	}
}

func TestFailedIptablesSaysWhy(t *testing.T) {
	h := host(t, labtest.Network(t), "one")
	_, err := h.Iptables("-A", "NOWHERE", "-j", "ACCEPT")
	if err == nil || !strings.Contains(err.Error(), "one: iptables --wait 10 -A NOWHERE") || !strings.Contains(err.Error(), "chain") {
		t.Errorf("got %v, want the host, the command and the reason", err)
	}
}

func TestASecondAddressServes(t *testing.T) {
	top := labtest.New(t, lab.Routed)
	if err := top.Server.AddAddress("eth0", "192.0.2.21/24"); err != nil {
		t.Fatal(err)
	}
	if err := reach(t, top.Client, "192.0.2.21", top.Server, answered); err != nil {
		t.Error(err)
	}
}

// reach connects from one host to an address, where the other listens on port
// 2121 of every address.
func reach(t *testing.T, from *lab.Host, to string, on *lab.Host, patience time.Duration) error {
	t.Helper()
	listener, err := on.Listen("tcp", ":2121")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := from.Dial(ctx, "tcp", "", netip.AddrPortFrom(netip.MustParseAddr(to), 2121).String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := listener.(*net.TCPListener).SetDeadline(time.Now().Add(answered)); err != nil {
		return err
	}
	accepted, err := listener.Accept()
	return errors.Join(err, closed(accepted))
}

func closed(conn net.Conn) error {
	if conn == nil {
		return errors.New("nobody came")
	}
	return conn.Close()
}
