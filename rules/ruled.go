package rules

import (
	"context"

	"ftpalg/alg/expect"
)

// ruled keeps promises as rules, each with the worker of its family.
type ruled []*worker

// open implements opener.
func (r ruled) open(ctx context.Context, e expect.Expectation) error {
	return r.of(familyOf(e.From)).promise(ctx, e)
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

// close implements opener: the rules go with the next sweep.
func (r ruled) close(id expect.ID) {
	for _, w := range r {
		w.ledger.close(id)
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

// use implements watched.
func (r ruled) use(w way) (expect.Expectation, bool) {
	for _, n := range r {
		if n.family == familyOf(w.from) {
			return n.ledger.useWay(w)
		}
	}
	return expect.Expectation{}, false
}

// settled implements watched: a promise's rules are needed until its
// connection is established, for the first packet may have to come twice.
func (r ruled) settled(id expect.ID) {
	for _, w := range r {
		w.ledger.settle(id)
	}
}

// lost implements watched: rules have no shadows.
func (r ruled) lost(flow) {}

// again implements watched: a rule's one token is spent.
func (r ruled) again(expect.ID) bool { return false }
