package doctor

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"ftpalg/cmd/internal/config"
)

// policyRoute looks for others who use the numbers of the gateway's policy
// route, or whose rules come before it.
func policyRoute(f *Facts, c *config.Config) (out []Finding) {
	const id = "policy-route"
	n := c.Netfilter
	for _, w := range wanted(c) {
		if !w.foreign {
			continue
		}
		for _, r := range f.PolicyRules {
			if r.Six != w.six || r.ours(n) {
				continue
			}
			found := warn(id, "%s rule with priority %d, table %d", w.name(), r.Priority, r.Table)
			remove := fmt.Sprintf("ip -%s rule del priority %d", map[bool]string{false: "4", true: "6"}[w.six], r.Priority)
			switch {
			case r.Table == n.RouteTable:
				out = append(out, found.as(Problem).because("It leads others' packets into the table in which every address is local. "+
					"Give one of the two another number (netfilter.route_table).").by("%s", remove))
			case r.Priority < n.RulePriority && r.Priority > 0 && r.catches(n.Mark):
				out = append(out, found.because("It comes before the gateway's own (netfilter.rule_priority) and may send away "+
					"what that would deliver here.").by("%s", remove))
			}
		}
	}
	if len(out) == 0 {
		out = append(out, good(id, "no other rule uses priority %d, table %d", n.RulePriority, n.RouteTable))
	}
	return out
}

func (r PolicyRule) ours(n config.Netfilter) bool {
	return r.Priority == n.RulePriority && r.Table == n.RouteTable && r.Mark == n.Mark && r.Mask == n.Mark
}

// catches reports whether a packet with nothing but our mark matches. A rule
// with further matches gets the benefit of the doubt.
func (r PolicyRule) catches(mark uint32) bool { return !r.Selective && mark&r.Mask == r.Mark }

// marks looks for rules that set or clear the gateway's bits.
func marks(f *Facts, c *config.Config) (out []Finding) {
	const id = "marks"
	ours := c.Netfilter.Mark | bits.RotateLeft32(c.Netfilter.Mark, 1) | bits.RotateLeft32(c.Netfilter.Mark, 2)
	for _, w := range wanted(c) {
		rules := f.inForce(w.six)
		if rules == nil {
			continue
		}
		for _, chain := range rules.Chains {
			for _, r := range chain.Rules {
				if touched := r.marks() & ours; touched != 0 && !chain.ours() {
					out = append(out, warn(id, "a rule of %s, %s %s, changes bits %#x of the mark: %s", rules.Tool, chain.Table, chain.Name, touched, strings.Join(r, " ")).
						because("By these bits (netfilter.mark and the next two) the gateway knows its packets and connections. "+
							"Limit the rule to bits of its own with a mask, as in --set-xmark 0x1/0xff.").
						by("%s", rules.removal(chain.Table, chain.Name, r)))
				}
			}
		}
	}
	if len(out) == 0 && f.listed(c) {
		out = append(out, good(id, "no rule of others changes the gateway's marks"))
	}
	return out
}

// marks returns the bits that the rule's target may change: --set-xmark
// value/mask, which iptables-save prints for all forms, and
// --restore-mark, which takes them from the connection.
func (r Rule) marks() uint32 {
	switch target := r.target(); {
	case target != "MARK" && target != "CONNMARK":
		return 0
	case r.after("--set-xmark") != "":
		_, mask, masked := strings.Cut(r.after("--set-xmark"), "/")
		bits, err := strconv.ParseUint(mask, 0, 32)
		if !masked || err != nil {
			return ^uint32(0)
		}
		return uint32(bits)
	}
	return 0
}
