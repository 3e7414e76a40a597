package rules

import (
	"context"
	"errors"
)

// Cleanup removes every jump, chain, rule, policy route, shadow and
// expectation that a Manager with these Options left behind, in both families
// and in every generation of iptables that this machine has. Data connections
// go on. It needs no state, may be called again, and returns what it removed,
// as iptables(8), ip(8) and conntrack(8) print it. A running Manager would
// find and repair the damage.
func Cleanup(ctx context.Context, o Options) ([]string, error) {
	o = o.withDefaults()
	all, err := allTools()
	if err != nil {
		return nil, err
	}
	removed, err := cleanupMasters(o.ExpectationMark)
	failures := []error{err}
	for _, t := range all {
		lines, err := t.cleanup(ctx, o)
		removed = append(removed, lines...)
		failures = append(failures, err)
	}
	return removed, errors.Join(failures...)
}

func (t tools) cleanup(ctx context.Context, o Options) ([]string, error) {
	lines, err := takedown(ctx, struct {
		saveRestore
		route
	}{t.saveRestore(), t.route(o)})
	if errors.Is(err, ErrUnavailable) {
		return lines, nil // a generation that the kernel does not speak holds nothing
	}
	for n, line := range lines {
		lines[n] = tool(t.family) + " " + line
	}
	return lines, err
}

// removable is what takedown asks of a kernel. It needs no start of a tool
// that tells its version first, as go-iptables has it.
type removable interface {
	Save(context.Context) (snapshot, error)
	Restore(context.Context, transaction) error
	RemoveRoute() (bool, error)
	Route() []string
}

// takedown removes everything of ours from one family's kernel, table by
// table. It goes on after a failure, so that as little as possible stays. One
// transaction a table is worth it: with nf_tables each that deletes waits for
// the kernel to forget the rules, tens of milliseconds on a busy machine.
func takedown(ctx context.Context, k removable) ([]string, error) {
	var removed []string
	had, err := k.RemoveRoute()
	if had {
		removed = append(removed, k.Route()...)
	}
	failures := []error{err}
	s, err := k.Save(ctx)
	if err != nil {
		return removed, errors.Join(append(failures, err)...)
	}
	for _, table := range tables() {
		gone := s.of(table)
		t := transaction{drops: gone.chains}
		for _, r := range gone.rules {
			if !owned(r.chain) {
				t.deletes = append(t.deletes, r.line)
			}
		}
		if t.empty() {
			continue
		}
		if err := k.Restore(ctx, t); err != nil {
			failures = append(failures, err)
			continue
		}
		removed = append(removed, gone.lines()...)
	}
	return removed, errors.Join(failures...)
}
