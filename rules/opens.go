package rules

import (
	"fmt"

	"ftpalg/alg/expect"
	"ftpalg/rules/rule"
)

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
		return texts(linesOf(rule.Pinhole(e, o.PinholeMark, local))), nil
	case o.Path == Conntrack:
		return []string{describe(e)}, nil
	}
	return nil, fmt.Errorf("rules: %w path %s: it is not settled", ErrInvalid, o.Path)
}
