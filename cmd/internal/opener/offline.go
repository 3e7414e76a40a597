package opener

import (
	"context"
	"math/bits"

	"ftpalg/cmd/internal/config"
	"ftpalg/rules"
)

// PlannedRules returns what run would create for c, as commands. The ports of
// transparent listeners, which are the kernel's choice, stand as 8021.
func PlannedRules(c *config.Config) ([]string, error) {
	const example = 8021
	var all []rules.Static
	for i := range c.Listeners {
		l := &c.Listeners[i]
		var port4, port6 uint16
		if t := l.Transparent; t != nil && t.Serves(true) {
			port4 = example
		}
		if t := l.Transparent; t != nil && t.Serves(false) {
			port6 = example
		}
		all = append(all, needs(l, port4, port6))
	}
	return rules.Plan(RuleOptions(c), withData(c, merge(all)))
}

// RuleOptions returns what of c concerns the rules.
func RuleOptions(c *config.Config) rules.Options {
	o := ruleOptions(c.Netfilter)
	o.Path = dataPath(c.Data.Path)
	return o
}

// Cleanup removes what any ftpalg left on this machine; n are the numbers
// that its configuration gave it.
func Cleanup(ctx context.Context, n config.Netfilter) ([]string, error) {
	return rules.Cleanup(ctx, ruleOptions(n))
}

// ruleOptions takes three neighbouring bits: the mark of intercepted packets,
// and the next two for data connections.
func ruleOptions(n config.Netfilter) rules.Options {
	return rules.Options{
		Mark: n.Mark, PinholeMark: bits.RotateLeft32(n.Mark, 1), ExpectationMark: bits.RotateLeft32(n.Mark, 2),
		RouteTable: n.RouteTable, RulePriority: n.RulePriority,
	}
}
