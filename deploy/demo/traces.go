package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ftpalg/deploy/lab"
)

// traces are what a gateway can leave on a host, one line each: rules and
// chains as iptables-save prints them, policy rules and their routes as
// ip(8) does.
type traces struct{ rules, routes []string }

func findTraces(ctx context.Context, h *lab.Host) (t traces, err error) {
	for _, family := range []struct{ save, ip string }{{"iptables-save", "-4"}, {"ip6tables-save", "-6"}} {
		saved, err := output(h.Command(ctx, family.save))
		if err != nil {
			return t, err
		}
		t.rules = append(t.rules, keep(saved, isRule)...)
		policies, err := output(h.Command(ctx, "ip", family.ip, "rule"))
		if err != nil {
			return t, err
		}
		routes, err := output(h.Command(ctx, "ip", family.ip, "route", "show", "table", "all"))
		if err != nil {
			return t, err
		}
		t.routes = append(append(t.routes, policies...), keep(routes, isPolicyRoute)...)
	}
	return t, nil
}

// isRule takes rules and user's chains; that a table came into being, with
// its own chains, is no trace.
func isRule(line string) bool {
	return strings.HasPrefix(line, "-A ") || strings.HasPrefix(line, ":") && strings.Contains(line, " - ")
}

// isPolicyRoute takes the routes of tables other than main, which is not
// printed, and local.
func isPolicyRoute(line string) bool {
	return strings.Contains(line, " table ") && !strings.Contains(line, " table local ")
}

// since returns what was not there before.
func (t traces) since(before traces) traces {
	return traces{added(t.rules, before.rules), added(t.routes, before.routes)}
}

func added(now, before []string) []string {
	return keep(now, func(line string) bool { return !slices.Contains(before, line) })
}

func keep(all []string, wanted func(string) bool) (kept []string) {
	for _, line := range all {
		if wanted(line) {
			kept = append(kept, line)
		}
	}
	return kept
}

func output(c *lab.Command) ([]string, error) {
	printed, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("look for what is left: %w", err)
	}
	return strings.Split(strings.TrimSpace(string(printed)), "\n"), nil
}
