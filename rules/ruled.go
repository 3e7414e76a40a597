package rules

import (
	"context"

	"ftpalg/alg/expect"
	"ftpalg/rules/rule"
)

// ruled keeps promises as rules, each with the worker of its family.
type ruled []*worker

// openPinhole implements opener.
func (r ruled) openPinhole(ctx context.Context, e expect.Expectation) error {
	return r.of(rule.FamilyOf(e.From)).openPinhole(ctx, e)
}

// of returns a family's worker. The Manager asks for none that is missing.
func (r ruled) of(f Family) *worker {
	for _, w := range r {
		if w.family == f {
			return w
		}
	}
	return nil
}

// closePinhole implements opener: the rules go with the next sweep.
func (r ruled) closePinhole(id expect.ID) {
	for _, w := range r {
		w.ledger.closePinhole(id)
	}
}

// pinholes implements opener.
func (r ruled) pinholes() []Pinhole {
	var all []Pinhole
	for _, w := range r {
		all = append(all, w.ledger.pinholes()...)
	}
	return all
}

// rules implements opener. They read as `iptables -S` prints them, each with
// its table.
func (r ruled) rules(id expect.ID) []string {
	var lines []string
	for _, w := range r {
		lines = append(lines, texts(w.ledger.rules(id))...)
	}
	return lines
}

// markConnected implements dataPath.
func (r ruled) markConnected(w expect.Key) (expect.Expectation, bool) {
	for _, n := range r {
		if n.family == rule.FamilyOf(w.From) {
			return n.ledger.markConnected(w)
		}
	}
	return expect.Expectation{}, false
}

// markEstablished implements dataPath: a promise's rules are needed until its
// connection is established, for the first packet may have to come twice.
func (r ruled) markEstablished(id expect.ID) {
	for _, w := range r {
		w.ledger.markEstablished(id)
	}
}

// isMasterEntry implements dataPath: rules have none.
func (r ruled) isMasterEntry(flow) bool { return false }

// masterDeleted implements dataPath.
func (r ruled) masterDeleted(flow) {}

// reopen implements dataPath: a rule's one token is spent.
func (r ruled) reopen(expect.ID) bool { return false }
