package rules

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ftpalg/alg/expect"
)

var update = flag.Bool("update", false, "write the goldens in testdata instead of comparing with them")

// golden compares lines with testdata/name.rules.
func golden(t *testing.T, name string, lines []string) {
	t.Helper()
	file := filepath.Join("testdata", name+".rules")
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// ends holds the addresses of one combination's hosts.
type ends struct{ client, outside, inside, server string }

func TestPinholeRules(t *testing.T) {
	families := map[string]ends{
		"ipv4": {"203.0.113.10", "203.0.113.1", "198.18.1.1", "198.18.1.20"},
		"ipv6": {"2001:db8:1::10", "2001:db8:1::1", "2001:db8:2::1", "2001:db8:2::20"},
	}
	for family, a := range families {
		for _, mode := range []expect.Mode{expect.PASV, expect.PORT} {
			for _, translated := range []bool{true, false} {
				for _, snat := range []bool{true, false} {
					e := combination(a, mode, translated, snat)
					golden(t, strings.Join([]string{family, mode.String(), pick(translated, "translated", "routed"), pick(snat, "snat", "direct")}, "-"), must(Opens(Options{Path: IPTables}, e, false)))
				}
			}
		}
		e := combination(a, expect.PASV, true, true)
		golden(t, family+"-PASV-translated-snat-local", must(Opens(Options{Path: IPTables}, e, true)))
	}
}

func combination(a ends, mode expect.Mode, translated, snat bool) expect.Expectation {
	from, told, target, seen := a.client, a.outside, a.server, a.inside
	if mode == expect.PORT {
		from, told, target, seen = a.server, a.inside, a.client, a.outside
	}
	e := expect.Expectation{
		ID: 34, Session: 12, Mode: mode, From: netip.MustParseAddr(from),
		Reached: netip.AddrPortFrom(netip.MustParseAddr(told), 50000),
		Target:  netip.AddrPortFrom(netip.MustParseAddr(target), 34567),
		Seen:    netip.MustParseAddr(seen),
		Until:   time.Date(2030, 1, 2, 3, 4, 5, 600, time.UTC),
	}
	if !translated {
		e.Reached = e.Target
	}
	if !snat {
		e.Seen = e.From
	}
	return e
}

func pick(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

func TestStaticRules(t *testing.T) {
	lan := Intercept{Name: "lan", Interface: "lan", Ports: []uint16{21}, Method: TPROXY, Port4: 4021, Port6: 6021}
	limited := lan
	limited.Clients = []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24"), netip.MustParsePrefix("198.18.7.0/24")}
	limited.Servers = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("2001:db8::/32")}
	redirect := lan
	redirect.Method = REDIRECT
	many := lan
	many.Ports = []uint16{21, 2101, 2102, 2103, 2104, 2105, 2106, 2107, 2108, 2109, 2110, 2111, 21}
	for name, s := range map[string]Static{
		"static-empty": {},
		"static-service": {Services: []Service{
			{Name: `a "name" 'with' \ much in it, longer than a comment`, Address: netip.MustParseAddrPort("203.0.113.1:21")},
			{Name: "any", Address: netip.MustParseAddrPort("0.0.0.0:2121")},
			{Name: "any6", Address: netip.MustParseAddrPort("[::]:2121")}}},
		"static-tproxy":          {Intercepts: []Intercept{lan}},
		"static-tproxy-limited":  {Intercepts: []Intercept{limited}},
		"static-tproxy-ports":    {Intercepts: []Intercept{many}},
		"static-redirect":        {Intercepts: []Intercept{redirect}},
		"static-outbound":        {Outbound: []Outbound{{Name: "legacy", Server: netip.MustParsePrefix("198.18.1.20/32"), Ports: []uint16{21}, Transparent: false}}},
		"static-outbound-source": {Outbound: []Outbound{{Name: "legacy", Server: netip.MustParsePrefix("198.18.1.20/32"), Ports: []uint16{21}, Transparent: true}}},
		"static-everything":      exampleStatic(),
	} {
		lines, err := Plan(Options{}, s)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, lines)
	}
}
