package explain

import (
	"bytes"
	"errors"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"ftpalg/cmd/internal/config"
)

// source is the routing table of the gateway in these tests.
func source(to netip.Addr) (netip.Addr, error) {
	switch {
	case netip.MustParsePrefix("198.18.1.0/24").Contains(to):
		return netip.MustParseAddr("198.18.1.1"), nil
	case to.Is4():
		return netip.MustParseAddr("203.0.113.1"), nil
	}
	return netip.Addr{}, errors.New("network is unreachable")
}

func ask(t *testing.T, text, client, server string) (Answer, error) {
	t.Helper()
	c, err := config.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	q := Question{Client: netip.MustParseAddr(client), Source: source, Now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	if server != "" {
		q.Server = netip.MustParseAddrPort(server)
	}
	return Explain(c, q)
}

const (
	fronted = `
listeners:
  - {name: legacy, listen: 203.0.113.1:21, server: 198.18.1.20:21}
nat:
  - {local: 203.0.113.1, public: 192.0.2.80, except: [198.18.0.0/15], ports: {local: 50500-50599, public: 60000-60099}}
data: {path: iptables}
`
	edge = `
listeners:
  - {name: lan, transparent: {interface: lan, clients: [198.18.0.0/24], servers: [203.0.113.0/24]}, source: client, tls: refuse, third_party: allow}
data: {path: conntrack}
`
	six = `
listeners:
  - {name: six, listen: "[2001:db8:1::1]:21", server: "[2001:db8:2::20]:21", source: client}
data: {path: conntrack}
`
)

// TestAnswersReadLikeThis compares with goldens; UPDATE_GOLDEN=1 writes them.
func TestAnswersReadLikeThis(t *testing.T) {
	tests := map[string]struct{ config, client, server string }{
		"fronted":  {fronted, "203.0.113.10", ""},
		"excepted": {fronted, "198.18.0.10", ""},
		"edge":     {edge, "198.18.0.10", "203.0.113.20:21"},
		"ipv6":     {six, "2001:db8::9", ""},
		"passive":  {strings.Replace(fronted, "21}", "21, convert: passive, server_tls: explicit}", 1), "203.0.113.10", ""},
		"active":   {strings.Replace(fronted, "21}", "21, convert: active}", 1), "203.0.113.10", ""},
		"auto":     {strings.Replace(fronted, "iptables", "auto", 1), "203.0.113.10", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a, err := ask(t, tt.config, tt.client, tt.server)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := Print(&got, a); err != nil {
				t.Fatal(err)
			}
			golden := "testdata/" + name + ".golden"
			if os.Getenv("UPDATE_GOLDEN") == "1" {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got.String(), want)
			}
		})
	}
}

func TestWhichListenersTakeAClient(t *testing.T) {
	const both = `
listeners:
  - {name: front, listen: ["203.0.113.1:21", "203.0.113.2:21", "203.0.113.1:2121"], server: 198.18.1.20:21}
  - {name: any, listen: 0.0.0.0:2122, server: 198.18.1.20:21}
  - {name: lan, transparent: {interface: lan, ports: [21, 2100], clients: [198.18.0.0/24], servers: [203.0.113.0/24]}}
  - {name: dmz, transparent: {interface: dmz}}
`
	const notAt = "front: does not take it: the client connects to %, the listener is at 203.0.113.1:21, 203.0.113.2:21, 203.0.113.1:2121\n" +
		"any: does not take it: the client connects to %, the listener is at 0.0.0.0:2122\n"
	tests := []struct{ name, client, server, device, want string }{
		{"anywhere", "198.18.0.10", "", "", `front: takes connections to 203.0.113.1:21, 203.0.113.2:21, 203.0.113.1:2121
any: listens on every address of the machine; give --server, the one that the client connects to
lan: takes over what crosses the machine; give --server, the address that the client connects to
dmz: takes over what crosses the machine; give --server, the address that the client connects to`},
		{"a listener's own address", "198.18.0.10", "203.0.113.2:21", "", `front: takes connections to 203.0.113.2:21
any: does not take it: the client connects to 203.0.113.2:21, the listener is at 0.0.0.0:2122
lan: does not take it: 203.0.113.2 is an address of this machine, and those it leaves alone
dmz: does not take it: 203.0.113.2 is an address of this machine, and those it leaves alone`},
		{"every address", "198.18.0.10", "192.0.2.1:2122", "", `front: does not take it: the client connects to 192.0.2.1:2122, the listener is at 203.0.113.1:21, 203.0.113.2:21, 203.0.113.1:2121
any: takes connections to 192.0.2.1:2122
lan: does not take it: port 2122 is not among its ports [21 2100]
dmz: does not take it: port 2122 is not among its ports [21]`},
		{"a server beyond", "198.18.0.10", "203.0.113.20:2100", "", strings.ReplaceAll(notAt, "%", "203.0.113.20:2100") +
			`lan: takes over connections to 203.0.113.20:2100 that come in by lan
dmz: does not take it: port 2100 is not among its ports [21]`},
		{"a server that is not allowed", "198.18.0.10", "192.0.2.20:21", "lan", strings.ReplaceAll(notAt, "%", "192.0.2.20:21") +
			`lan: does not take it: 192.0.2.20 is in none of its servers' networks (203.0.113.0/24)
dmz: does not take it: it takes over what comes in by dmz, not by lan`},
		{"a stranger", "192.0.2.9", "203.0.113.20:21", "", strings.ReplaceAll(notAt, "%", "203.0.113.20:21") +
			`lan: does not take it: 192.0.2.9 is in none of its clients' networks (198.18.0.0/24)
dmz: takes over connections to 203.0.113.20:21 that come in by dmz`},
		{"IPv6", "2001:db8::9", "", "lan", `front: does not take it: it has no IPv6 address
any: does not take it: it has no IPv6 address
lan: does not take it: it serves no IPv6
dmz: does not take it: it takes over what comes in by dmz, not by lan`},
	}
	c, err := config.Parse("test.yaml", []byte(both))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q := Question{Client: netip.MustParseAddr(tt.client), Interface: tt.device, Source: source}
			if tt.server != "" {
				q.Server = netip.MustParseAddrPort(tt.server)
			}
			a, err := Explain(c, q)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range a.Listeners {
				got = append(got, l.Name+": "+l.Why)
				if takes := strings.HasPrefix(l.Why, "takes") && !l.NeedsServer; l.Takes != takes || takes != (len(l.Sessions) > 0) {
					t.Errorf("%s takes it: %v, with %d sessions", l.Name, l.Takes, len(l.Sessions))
				}
			}
			if text := strings.Join(got, "\n"); text != tt.want {
				t.Errorf("got\n%s\nwant\n%s", text, tt.want)
			}
		})
	}
}

func TestQuestionsThatContradictThemselves(t *testing.T) {
	for _, tt := range []struct{ client, server, want string }{
		{"203.0.113.10", "[2001:db8::1]:21", "cannot be explained: client 203.0.113.10 cannot connect to 2001:db8::1, which is of the other address family"},
		{"224.0.0.1", "", "cannot be explained: 224.0.0.1 is not the address of a client"},
		{"fe80::1%lan", "", "cannot be explained: fe80::1%lan is not the address of a client"},
	} {
		if _, err := ask(t, fronted, tt.client, tt.server); !errors.Is(err, ErrQuestion) || err.Error() != tt.want {
			t.Errorf("%v\nwant %s", err, tt.want)
		}
	}
}

func TestAnAddressThatTheKernelChoosesMustBeKnown(t *testing.T) {
	_, err := ask(t, strings.Replace(six, ", source: client", "", 1), "2001:db8::9", "")
	if err == nil || err.Error() != "listener six: from which address this machine reaches 2001:db8:2::20: network is unreachable" {
		t.Error(err)
	}
}

func TestAPublicNameThatIsNotLookedUp(t *testing.T) {
	a, err := ask(t, strings.Replace(fronted, "192.0.2.80", "gate.example.net", 1), "203.0.113.10", "")
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Listeners[0].Sessions[0].Announcements[0]; got.Address.IsValid() || got.Rules != nil || !strings.Contains(got.NAT, "gate.example.net; the running gateway looks the name up") {
		t.Errorf("%+v", got)
	}
}

// TestAServerOnThisMachineIsReachedThroughOtherChains: its data connections
// are not forwarded.
func TestAServerOnThisMachineIsReachedThroughOtherChains(t *testing.T) {
	a, err := ask(t, strings.Replace(fronted, "198.18.1.20:21", "198.18.1.1:2121", 1), "203.0.113.10", "")
	if err != nil {
		t.Fatal(err)
	}
	if rules := a.Listeners[0].Sessions[0].Announcements[0].Rules; !strings.Contains(rules[0], "-A FTPALG-INPUT ") {
		t.Errorf("%q", rules)
	}
}
