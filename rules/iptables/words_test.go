package iptables

import (
	"ftpalg/rules/rule"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCommentsFitAndTellRulesApart(t *testing.T) {
	long := rule.Intercept{Name: strings.Repeat("n", 100), Interface: "interface-of-15", Method: rule.TPROXY, Port4: 65535, Port6: 65535}
	for p := uint16(65000); p < 65030; p++ {
		long.Ports = append(long.Ports, p)
	}
	for _, s := range []string{"2001:db8:1111:1111:1111:1111:1111:1111/128", "2001:db8:1111:1111:1111:1111:1111:1112/128"} {
		long.Clients = append(long.Clients, netip.MustParsePrefix(s))
	}
	long.Servers = long.Clients
	seen := map[key]bool{}
	for _, r := range linesOf(rule.Static{Intercepts: []rule.Intercept{long}}.Rules(rule.IPv6, rule.Marks{})) {
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
