package rules

import (
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ftpalg/alg/expect"
	"ftpalg/rules/rule"
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
					rules := linesOf(rule.Pinhole(e, DefaultPinholeMark, false))
					golden(t, strings.Join([]string{family, mode.String(), pick(translated, "translated", "routed"), pick(snat, "snat", "direct")}, "-"), texts(rules))
				}
			}
		}
		e := combination(a, expect.PASV, true, true)
		golden(t, family+"-PASV-translated-snat-local", texts(linesOf(rule.Pinhole(e, DefaultPinholeMark, true))))
	}
}

func combination(a ends, mode expect.Mode, translated, snat bool) expect.Expectation {
	from, told, target, seen := a.client, a.outside, a.server, a.inside
	if mode == expect.PORT {
		from, told, target, seen = a.server, a.inside, a.client, a.outside
	}
	e := expect.Expectation{
		ID: 34, Session: 12, Mode: mode, From: netip.MustParseAddr(from),
		To:     netip.AddrPortFrom(netip.MustParseAddr(told), 50000),
		Target: netip.AddrPortFrom(netip.MustParseAddr(target), 34567),
		Seen:   netip.MustParseAddr(seen),
		Until:  time.Date(2030, 1, 2, 3, 4, 5, 600, time.UTC),
	}
	if !translated {
		e.To = e.Target
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

func TestPlanRefusesWhatWouldBecomeNoRule(t *testing.T) {
	lan := Intercept{Name: "lan", Ports: []uint16{21}, Method: TPROXY, Port4: 4021}
	for want, spoil := range map[string]func() Static{
		"service": func() Static { return Static{Services: []Service{{Name: "x"}}} },
		"method":  func() Static { i := lan; i.Method = 0; return Static{Intercepts: []Intercept{i}} },
		"ports":   func() Static { i := lan; i.Ports = nil; return Static{Intercepts: []Intercept{i}} },
		"interface": func() Static {
			i := lan
			i.Interface = "lan -j ACCEPT"
			return Static{Intercepts: []Intercept{i}}
		},
		"network": func() Static {
			i := lan
			i.Clients = make([]netip.Prefix, 1)
			return Static{Intercepts: []Intercept{i}}
		},
		"outbound": func() Static { return Static{Outbound: []Outbound{{Name: "x"}}} },
	} {
		if lines, err := Plan(Options{}, spoil()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Plan = %q, %v; want an error about the %s", lines, err, want)
		}
	}
}

func TestCommentsFitAndTellRulesApart(t *testing.T) {
	long := Intercept{Name: strings.Repeat("n", 100), Interface: "interface-of-15", Method: TPROXY, Port4: 65535, Port6: 65535}
	for p := uint16(65000); p < 65030; p++ {
		long.Ports = append(long.Ports, p)
	}
	for _, s := range []string{"2001:db8:1111:1111:1111:1111:1111:1111/128", "2001:db8:1111:1111:1111:1111:1111:1112/128"} {
		long.Clients = append(long.Clients, netip.MustParsePrefix(s))
	}
	long.Servers = long.Clients
	seen := map[key]bool{}
	for _, r := range linesOf(Static{Intercepts: []Intercept{long}}.Rules(IPv6, Options{}.withDefaults().marks())) {
		if len(r.comment()) > 255 {
			t.Errorf("a comment of %d bytes, more than iptables takes: %s", len(r.comment()), r.comment())
		}
		if seen[r.key()] {
			t.Errorf("two rules with the comment %q", r.comment())
		}
		seen[r.key()] = true
	}
}

func TestDatestopIsTheLastSecondThatBeginsBeforeTheDeadline(t *testing.T) {
	second := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		until time.Time
		want  string
	}{
		{second, "2030-01-02T03:04:04"},
		{second.Add(1), "2030-01-02T03:04:05"},
		{second.Add(time.Second - 1), "2030-01-02T03:04:05"},
		{second.In(time.FixedZone("", 3600)), "2030-01-02T03:04:04"},
	} {
		if got := lastSecond(c.until); got != c.want {
			t.Errorf("until(%s) = %s, want %s", c.until, got, c.want)
		}
	}
}

func TestQuotedWordsComeBack(t *testing.T) {
	words := []string{"-m", "comment", "--comment", `a "b" 'c' \d`, "", "plain"}
	if diff := cmp.Diff(words, split(line{words: words}.spec())); diff != "" {
		t.Errorf("split(spec()) (-want +got):\n%s", diff)
	}
}

func TestDeliveryOutlivesAReload(t *testing.T) {
	lan := Static{Intercepts: []Intercept{{Name: "lan", Interface: "lan", Ports: []uint16{21, 2121}, Method: TPROXY, Port4: 8021}}}
	wan := Static{Outbound: []Outbound{{Name: "wan", Server: netip.MustParsePrefix("198.18.1.20/32"), Ports: []uint16{990}, Transparent: true}}}
	s := Static{}.After(wan.After(lan))
	if want := []uint16{21, 990, 2121}; !slices.Equal(s.Deliver4, want) || len(s.Deliver6) != 0 {
		t.Errorf("after two reloads ports %v and %v are delivered, want %v and none", s.Deliver4, s.Deliver6, want)
	}
	if !rule.NeedsRoute(s.Rules(IPv4, Options{}.withDefaults().marks())) {
		t.Error("the policy route goes with the listener")
	}
}
