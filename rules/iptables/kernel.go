package iptables

import (
	"context"
	"ftpalg/alg/expect"
	"net/netip"
	"slices"
	"strings"
)

// kernel is what a worker asks of one family's packet filter and routes.
// Everything is bounded in time, and every error is an OpError.
type kernel interface {
	// HasTable returns nil if rules can stand in the table.
	HasTable(table string) error
	// Save returns our chains, the rules in them, and the jumps to them.
	Save(ctx context.Context) (snapshot, error)
	// Restore carries out a transaction. Each table changes as a whole or
	// not at all, but one table may have changed when a later one fails.
	Restore(ctx context.Context, t transaction) error

	// Insert puts a rule at its chain's position one.
	Insert(r line) error

	// HasRoute reports whether the whole policy route is there.
	HasRoute() (bool, error)
	// AddRoute adds what of the policy route is missing.
	AddRoute() error
	// RemoveRoute removes what of the policy route is there, and reports
	// whether there was any.
	RemoveRoute() (bool, error)
	// RouteCommands returns the policy route as commands of ip(8).
	RouteCommands() []string

	// Local reports whether packets to the address end in this machine. It
	// may be called from any goroutine.
	Local(a netip.Addr) bool
	// Came returns the ways of the TCP connections that the kernel knows, as
	// they were before any translation.
	Came() (map[expect.Key]bool, error)
}

// snapshot is what of ours is in the kernel at one moment.
type snapshot struct {
	chains []chain
	rules  []counted
}

// of returns what of the snapshot is in one table.
func (s snapshot) of(table string) snapshot {
	return snapshot{
		chains: slices.DeleteFunc(slices.Clone(s.chains), func(c chain) bool { return c.table != table }),
		rules:  slices.DeleteFunc(slices.Clone(s.rules), func(r counted) bool { return r.table != table }),
	}
}

// lines returns the snapshot as `iptables -S` prints it.
func (s snapshot) lines() []string {
	var lines []string
	for _, c := range s.chains {
		lines = append(lines, c.String())
	}
	for _, r := range s.rules {
		lines = append(lines, r.String())
	}
	return lines
}

// counted is a rule with the number of packets that it matched.
type counted struct {
	line
	packets uint64
}

// transaction is a set of changes to several tables.
type transaction struct {
	// chains are new ones.
	chains        []chain
	deletes, adds []line
	// drops are chains that go, with the rules still in them.
	drops []chain
}

func (t transaction) empty() bool {
	return len(t.chains)+len(t.deletes)+len(t.adds)+len(t.drops) == 0
}

// tables returns the tables in the order in which they are committed: nat
// last, so that what a pinhole translates is accepted by then.
func tables() []string { return []string{tableFilter, tableMangle, tableNAT} }

// of returns the part of the transaction that concerns one table.
func (t transaction) of(table string) transaction {
	elsewhere := func(r line) bool { return r.table != table }
	other := func(c chain) bool { return c.table != table }
	return transaction{
		chains:  slices.DeleteFunc(slices.Clone(t.chains), other),
		deletes: slices.DeleteFunc(slices.Clone(t.deletes), elsewhere),
		adds:    slices.DeleteFunc(slices.Clone(t.adds), elsewhere),
		drops:   slices.DeleteFunc(slices.Clone(t.drops), other),
	}
}

// String returns the transaction as iptables-restore(8) reads it.
func (t transaction) String() string {
	var b strings.Builder
	for _, table := range tables() {
		part := t.of(table)
		if part.empty() {
			continue
		}
		b.WriteString("*" + table + "\n")
		for _, c := range part.chains {
			b.WriteString("-N " + c.name + "\n")
		}
		for _, r := range part.deletes {
			b.WriteString("-D " + r.chain + " " + r.spec() + "\n")
		}
		for _, c := range part.drops {
			b.WriteString("-F " + c.name + "\n-X " + c.name + "\n")
		}
		for _, r := range part.adds {
			b.WriteString("-A " + r.chain + " " + r.spec() + "\n")
		}
		b.WriteString("COMMIT\n")
	}
	return b.String()
}
