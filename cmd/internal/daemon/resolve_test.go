package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"testing"

	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/config"
)

// names is a name server that can be changed.
type names map[string][]netip.Addr

func (n names) lookup(_ context.Context, network, host string) ([]netip.Addr, error) {
	found := n[network+" "+host]
	if len(found) == 0 {
		return nil, errors.New("no such host")
	}
	return found, nil
}

func addrs(texts ...string) (out []netip.Addr) {
	for _, t := range texts {
		out = append(out, netip.MustParseAddr(t))
	}
	return out
}

func TestNamesAreLookedUpAgain(t *testing.T) {
	n := names{}
	r := &resolver{lookup: n.lookup, log: slog.New(slog.DiscardHandler)}
	table := nat.Table{
		{Local: netip.MustParseAddr("198.18.2.10"), Name: "edge.example"},
		{Local: netip.MustParseAddr("2001:db8::10"), Name: "edge.example"},
		{Local: netip.MustParseAddr("198.18.2.11"), Public: netip.MustParseAddr("203.0.113.81")},
	}
	step := func(what string, want ...string) {
		t.Helper()
		table = r.resolve(t.Context(), table)
		var got []string
		for _, m := range table {
			got = append(got, m.Public.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	step("no name server", "invalid IP", "invalid IP", "203.0.113.81")
	if got := unresolved(table); !slices.Equal(got, []string{"edge.example", "edge.example"}) {
		t.Errorf("unresolved names are %q", got)
	}
	n["ip4 edge.example"], n["ip6 edge.example"] = addrs("203.0.113.80"), addrs("2001:db8:1::80")
	step("it answers", "203.0.113.80", "2001:db8:1::80", "203.0.113.81")
	n["ip4 edge.example"] = addrs("203.0.113.90", "203.0.113.80")
	step("ours is one of several", "203.0.113.80", "2001:db8:1::80", "203.0.113.81")
	n["ip4 edge.example"] = addrs("203.0.113.91")
	step("it has changed", "203.0.113.91", "2001:db8:1::80", "203.0.113.81")
	clear(n)
	step("silent again", "203.0.113.91", "2001:db8:1::80", "203.0.113.81")
}

func TestAReloadKeepsLookedUpAddresses(t *testing.T) {
	local := netip.MustParseAddr("198.18.2.10")
	d := &Daemon{table: nat.Table{{Local: local, Name: "edge.example", Public: netip.MustParseAddr("203.0.113.80")}}}
	got := d.keepAddresses(nat.Table{{Local: local, Name: "other.example"}, {Local: local, Name: "edge.example"}})
	if got[0].Public.IsValid() || got[1].Public != netip.MustParseAddr("203.0.113.80") {
		t.Errorf("the addresses are %v", got)
	}
}

func TestServersAreLookedUpAgain(t *testing.T) {
	n := names{}
	r := &resolver{lookup: n.lookup, log: slog.New(slog.DiscardHandler)}
	l := config.Listener{Name: "farm", Listen: []netip.AddrPort{netip.MustParseAddrPort("203.0.113.1:21")}, ServerName: "farm.example", ServerPort: 2121}
	var now []netip.AddrPort
	step := func(what string, want ...string) {
		t.Helper()
		now = r.servers(t.Context(), &l, now)
		var got []string
		for _, a := range now {
			got = append(got, a.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	step("no name server")
	n["ip6 farm.example"] = addrs("2001:db8::20")
	step("the other family alone", "[2001:db8::20]:2121")
	n["ip4 farm.example"] = addrs("198.18.1.21", "127.0.0.1", "198.18.1.20", "0.0.0.0", "169.254.0.1")
	step("that of the clients, too", "198.18.1.20:2121", "198.18.1.21:2121")
	clear(n)
	step("no answer", "198.18.1.20:2121", "198.18.1.21:2121")
	l.Source.Kind = config.SourceClient
	n["ip6 farm.example"] = addrs("2001:db8::20")
	step("no server that could see the client", "198.18.1.20:2121", "198.18.1.21:2121")
}
