package rules

import (
	"context"
	"errors"
	"ftpalg/rules/expectation"
	"ftpalg/rules/iptables"
)

// Cleanup removes every jump, chain, rule, policy route, master entry and
// expectation that a Manager with these Options left behind, in both families
// and in every generation of iptables that this machine has. Data connections
// go on. It needs no state, may be called again, and returns what it removed,
// as iptables(8), ip(8) and conntrack(8) print it. A running Manager would
// find and repair the damage. The error wraps ErrNotPermitted or ErrBusy where
// that is known.
func Cleanup(ctx context.Context, o Options) ([]string, error) {
	o = o.withDefaults()
	masters, first := expectation.Cleanup(o.ExpectationMark)
	rules, second := iptables.Cleanup(ctx, o.filter())
	return append(masters, rules...), errors.Join(first, second)
}
