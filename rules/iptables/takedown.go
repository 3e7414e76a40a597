package iptables

import (
	"context"
	"errors"
	"ftpalg/rules/policyroute"
	"ftpalg/rules/report"
)

func (t tools) cleanup(ctx context.Context, o Options) ([]string, error) {
	lines, err := takedown(ctx, struct {
		saveRestore
		policyroute.Route
	}{t.saveRestore(), o.route(t.family)})
	if errors.Is(err, report.ErrUnavailable) {
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
	RouteCommands() []string
}

// takedown removes everything of ours from one family's kernel, table by
// table. It goes on after a failure, so that as little as possible stays. One
// transaction a table is worth it: with nf_tables each that deletes waits for
// the kernel to forget the rules, tens of milliseconds on a busy machine.
func takedown(ctx context.Context, k removable) ([]string, error) {
	var removed []string
	had, err := k.RemoveRoute()
	if had {
		removed = append(removed, k.RouteCommands()...)
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
