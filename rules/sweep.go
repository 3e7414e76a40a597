package rules

import (
	"context"
	"net/netip"
	"time"

	"ftpalg/alg/expect"
)

// way is what a connection shows of itself: two promises of the same way
// cannot be told apart.
type way struct {
	from netip.Addr
	to   netip.AddrPort
}

func wayOf(e expect.Expectation) way { return way{e.From, e.To} }

// distinct returns how many requests from the first on go different ways.
func distinct(batch []*request) int {
	seen := map[way]bool{}
	for n, r := range batch {
		if seen[wayOf(r.Expectation)] {
			return n
		}
		seen[wayOf(r.Expectation)] = true
	}
	return len(batch)
}

// sweepLength bounds the promises of one sweep, so that those who wait to
// open one do not wait for long.
const sweepLength = 256

// sweep deletes the rules of ended promises in one transaction. Where that
// fails, some of them are gone already (a foreign flush), and a look at what
// is there removes the rest.
func (w *worker) sweep(ctx context.Context) {
	now := time.Now()
	w.ledger.purge(now)
	ended := w.ledger.installedWhere(func(e *entry) bool { return e.ended(now) })
	if len(ended) == 0 {
		return
	}
	ended = ended[:min(len(ended), sweepLength)]
	var t transaction
	for _, e := range ended {
		t.deletes = append(t.deletes, e.rules...)
	}
	if w.kernel.Restore(ctx, t) == nil {
		w.finish(ended)
		return
	}
	if _, err := w.reconcile(ctx); err != nil {
		w.closed.add(len(ended), err)
		w.options.Observe(Event{Kind: SweepFailed, Family: w.family, Rules: texts(t.deletes), Err: err})
	}
}

// finish notes that the rules of promises are gone, and tells of those that
// nobody had used or closed.
func (w *worker) finish(ended []entry) {
	w.closed.add(len(ended), nil)
	w.ledger.strip(time.Now(), ids(ended)...)
	for _, e := range ended {
		if !e.closed && !e.used {
			w.options.Observe(Event{Kind: Expired, Family: w.family, Pinhole: Pinhole{e.Expectation, e.state()}})
		}
	}
}
