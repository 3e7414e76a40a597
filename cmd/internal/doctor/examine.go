package doctor

import (
	"slices"

	"ftpalg/cmd/internal/config"
)

// check looks at one thing.
type check func(*Facts, *config.Config) []Finding

// checks lists them all, in the order in which an operator would look.
func checks() []check {
	return []check{
		unseen,
		rights, files, certificates,
		tools, generations, modules,
		forwarding, validMark, reversePath,
		listenAddresses, natAddresses, sourceAddresses, interfaces, serverRoutes,
		listeners, dataListeners, reservedPorts,
		policyRoute, marks,
		conntrackTable, expectations, accounting,
		automaticHelper, helperRules, untracked,
		controlRefused, controlTranslated, establishedRefused, dataForwardedByOthers, sourceTranslated,
		nativePolicies, reversePathRules,
	}
}

// Examine compares a machine with what a configuration asks of it. Problems
// come first.
func Examine(f *Facts, c *config.Config) []Finding {
	var out []Finding
	for _, look := range checks() {
		out = append(out, look(f, c)...)
	}
	order := []Severity{Problem, Warning, Good}
	slices.SortStableFunc(out, func(a, b Finding) int {
		return slices.Index(order, a.Severity) - slices.Index(order, b.Severity)
	})
	return out
}

// unseen reports what could not be looked at.
func unseen(f *Facts, _ *config.Config) (out []Finding) {
	for _, g := range f.Unseen {
		out = append(out, warn("unseen", "Not looked at: %s (%v)", g.What, g.Err).
			because("Something may be wrong there, and this says nothing of it.").by("%s", g.Mend))
	}
	return out
}
