package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
)

// rules returns the host's netfilter rules of both families as commands, table
// by table.
func (g *gateway) rules(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	for _, program := range []string{"iptables", "ip6tables"} {
		out, err := g.host.Command(context.WithoutCancel(t.Context()), program+"-save").Output()
		try(t, err)
		tables := byTable(program, string(out))
		for _, name := range slices.Sorted(maps.Keys(tables)) {
			all.WriteString(tables[name])
		}
	}
	return all.String()
}

// counters are the packet and byte counts in a chain's line.
var counters = regexp.MustCompile(` \[\d+:\d+\]$`)

// byTable turns what iptables-save printed into commands. It leaves out what
// says nothing: that a table exists, and a built-in chain which accepts.
func byTable(program, saved string) map[string]string {
	tables := make(map[string]string)
	table := ""
	for line := range strings.Lines(saved) {
		line = counters.ReplaceAllString(strings.TrimSpace(line), "")
		name, isTable := strings.CutPrefix(line, "*")
		switch {
		case isTable:
			table = name
		case line == "" || line == "COMMIT" || line[0] == '#' || line[0] == ':' && strings.HasSuffix(line, " ACCEPT"):
		default:
			tables[table] += program + " -t " + table + " " + line + "\n"
		}
	}
	return tables
}

// differs says how the rules differ from those of a gateway without sessions.
func (g *gateway) differs(t *testing.T) error {
	t.Helper()
	if now := g.rules(t); now != g.quiet {
		return errors.New("the rules differ:\n" + difference(now, g.quiet))
	}
	return nil
}

// ours matches the rules and chains that are the gateway's.
var ours = regexp.MustCompile(`(?m)^.*FTPALG-.*\n`)

func withoutOurs(rules string) string { return ours.ReplaceAllString(rules, "") }

// noTrace holds that the rules and routes are as they were.
func (g *gateway) noTrace(t *testing.T, rules, ways string) {
	t.Helper()
	if now := g.rules(t); now != rules {
		t.Errorf("the rules differ:\n%s", difference(now, rules))
	}
	if now := routes(t, g.host); now != ways {
		t.Errorf("the routes differ:\n%s", difference(now, ways))
	}
}

// routes returns the host's policy rules and routes of both families.
func routes(t *testing.T, host *lab.Host) string {
	t.Helper()
	var all strings.Builder
	for _, args := range [][]string{{"-4", "rule"}, {"-6", "rule"}, {"-4", "route", "show", "table", "all"}, {"-6", "route", "show", "table", "all"}} {
		out, err := host.Command(context.WithoutCancel(t.Context()), "ip", args...).Output()
		try(t, err)
		all.Write(out)
	}
	return all.String()
}

// closedAgain fails unless soon no promise stands and the rules are those of
// a gateway without sessions.
func (g *gateway) closedAgain(t *testing.T) {
	t.Helper()
	within(t, closedTimeout, "nothing stays open", func() error {
		if open := g.pinholes(t); len(open) > 0 {
			return fmt.Errorf("promised: %+v", open)
		}
		return g.differs(t)
	})
}

// difference lists the lines that one of two texts has more often, or, if there
// are none, says that their order differs.
func difference(now, before string) string {
	count := make(map[string]int)
	for line := range strings.Lines(before) {
		count[line]--
	}
	for line := range strings.Lines(now) {
		count[line]++
	}
	var diff strings.Builder
	for line, n := range count {
		if n != 0 {
			fmt.Fprintf(&diff, "%+d %s", n, line)
		}
	}
	if diff.Len() == 0 {
		return "the same lines in another order:\n" + now
	}
	return diff.String()
}
