package rules

import (
	"fmt"
	"ftpalg/alg/expect"
	"ftpalg/rules/expectation"
	"ftpalg/rules/iptables"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
)

// Plan returns what a Manager with these Options would create for control
// connections: the commands of iptables(8), ip6tables(8) and ip(8) that would
// have the same effect, in order. The error wraps ErrInvalid.
func Plan(o Options, s Static) ([]string, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	return iptables.Plan(o.filter(), o.ruleset(s)), nil
}

// Opens returns what a Manager with these Options puts into the kernel for a
// promise, as iptables -S and conntrack -L show it, without asking the kernel.
// The Path must be settled, not Auto. Local says that the promise's target is
// this machine. The error wraps ErrInvalid where nothing would be opened.
func Opens(o Options, e expect.Expectation, local bool) ([]string, error) {
	o = o.withDefaults()
	switch err := rule.Validate(e); {
	case err != nil:
		return nil, err
	case o.Path == IPTables:
		return iptables.PinholeLines(o.filter(), e, local), nil
	case o.Path == Conntrack:
		return []string{expectation.Describe(e)}, nil
	}
	return nil, fmt.Errorf("rules: %w path %s: it is not settled", report.ErrInvalid, o.Path)
}
