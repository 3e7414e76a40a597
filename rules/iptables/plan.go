package iptables

import (
	"fmt"
	"ftpalg/rules/rule"
	"slices"
)

// plan is what must be in one family's kernel beside the pinholes.
type plan struct {
	chains []chain
	static []line
	route  bool
}

func makePlan(rules []rule.Rule) plan {
	lines := linesOf(rules)
	return plan{chainsFor(lines), lines, rule.NeedsRoute(rules)}
}

// within leaves out what stands in tables that this machine lacks. A chain
// may go; for a rule the reason is an error.
func (p plan) within(absent map[string]error) (plan, error) {
	for _, r := range p.static {
		if err := absent[r.table]; err != nil {
			return plan{}, err
		}
	}
	p.chains = slices.DeleteFunc(slices.Clone(p.chains), func(c chain) bool { return absent[c.table] != nil })
	return p, nil
}

func (p plan) lines(o Options, f rule.Family) []string {
	var lines []string
	for _, c := range p.chains {
		lines = append(lines, tool(f)+" "+c.String())
	}
	for _, r := range p.static {
		lines = append(lines, tool(f)+" "+r.String())
	}
	for _, c := range p.chains {
		j := c.jump()
		lines = append(lines, fmt.Sprintf("%s -t %s -I %s 1 %s", tool(f), j.table, j.chain, j.spec()))
	}
	if p.route {
		lines = append(lines, o.route(f).RouteCommands()...)
	}
	return lines
}
