package rules

import (
	"fmt"
	"slices"
	"strings"
)

// plan is what must be in one family's kernel beside the pinholes.
type plan struct {
	chains []chain
	static []line
	route  bool
}

func makePlan(o Options, f Family, s Static) plan {
	rules := static(o, f, s)
	return plan{chainsFor(rules), rules, needsRoute(rules)}
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
	if err := s.validate(); err != nil {
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
		lines = append(lines, f.tool()+" "+c.String())
	}
	for _, r := range p.static {
		lines = append(lines, f.tool()+" "+r.String())
	}
	for _, c := range p.chains {
		j := c.jump()
		lines = append(lines, fmt.Sprintf("%s -t %s -I %s 1 %s", f.tool(), j.table, j.chain, j.spec()))
	}
	if p.route {
		lines = append(lines, route{f, o.Mark, o.RouteTable, o.RulePriority}.Route()...)
	}
	return lines
}

// validate refuses what would silently become no rule, or a wider one.
func (s Static) validate() error {
	for _, v := range s.Services {
		if !v.Address.Addr().IsValid() || v.Address.Addr().Zone() != "" || v.Address.Port() == 0 {
			return fmt.Errorf("rules: %w service %q: address %s", ErrInvalid, v.Name, v.Address)
		}
	}
	for _, i := range s.Intercepts {
		if err := i.validate(); err != nil {
			return fmt.Errorf("rules: %w intercept %q: %s", ErrInvalid, i.Name, err)
		}
	}
	for _, b := range s.Outbound {
		if !b.Server.IsValid() || len(b.Ports) == 0 || slices.Contains(b.Ports, 0) {
			return fmt.Errorf("rules: %w outbound %q: server %s, ports %d", ErrInvalid, b.Name, b.Server, b.Ports)
		}
	}
	return nil
}

func (i Intercept) validate() error {
	switch {
	case i.Method != TPROXY && i.Method != REDIRECT:
		return fmt.Errorf("method %d", i.Method)
	case len(i.Ports) == 0 || slices.Contains(i.Ports, 0):
		return fmt.Errorf("ports %d", i.Ports)
	// Names of interfaces: net/core/dev.c, dev_valid_name; "+" is a
	// wildcard to iptables(8).
	case len(i.Interface) > 15 || strings.ContainsAny(i.Interface, " \t\n/:+!\""):
		return fmt.Errorf("interface %q", i.Interface)
	}
	for _, p := range slices.Concat(i.Clients, i.Servers) {
		if !p.IsValid() {
			return fmt.Errorf("network %s", p)
		}
	}
	return nil
}
