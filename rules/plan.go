package rules

import (
	"fmt"
	"slices"

	"ftpalg/rules/rule"
)

// plan is what must be in one family's kernel beside the pinholes.
type plan struct {
	chains []chain
	static []line
	route  bool
}

func makePlan(o Options, f Family, s Static) plan {
	rules := s.Rules(f, o.marks())
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

// Plan returns what a Manager with these Options would create for control
// connections: the commands of iptables(8), ip6tables(8) and ip(8) that
// would have the same effect, in order.
func Plan(o Options, s Static) ([]string, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	var lines []string
	for _, f := range []Family{IPv4, IPv6} {
		lines = append(lines, makePlan(o, f, s).lines(o, f)...)
	}
	return lines, nil
}

func (p plan) lines(o Options, f Family) []string {
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
		lines = append(lines, route{f, o.Mark, o.RouteTable, o.RulePriority}.Route()...)
	}
	return lines
}
