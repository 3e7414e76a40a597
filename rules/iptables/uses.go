package iptables

import "slices"

// countUses learns from the rules that admit connections which promises
// were used.
func (w *worker) countUses(s snapshot) {
	hit := map[key]bool{}
	for _, r := range s.rules {
		if r.table == tableNAT && r.chain == chainPrerouting && r.packets > 0 {
			hit[r.key()] = true
		}
	}
	for _, e := range w.ledger.installedWhere(func(e *entry) bool { return !e.used }) {
		for _, r := range e.rules {
			if hit[r.key()] {
				w.ledger.markUsed(e.ID)
			}
		}
	}
}

// askUses learns from connection tracking which of the promises that lost
// a rule were used: what a flush took away cannot be counted any more.
func (w *worker) askUses(entries []entry, missing []line) error {
	came, err := w.kernel.Came()
	if err != nil {
		return err
	}
	lost := map[key]bool{}
	for _, r := range missing {
		lost[r.key()] = true
	}
	for i, e := range entries {
		if came[e.Key()] && slices.ContainsFunc(e.rules, func(r line) bool { return lost[r.key()] }) {
			w.ledger.markUsed(e.ID)
			entries[i].used = true
		}
	}
	return nil
}
