package iptables

import (
	"context"
	"ftpalg/alg/expect"
	"ftpalg/rules/report"
	"time"
)

// distinctKeys returns how many requests from the first on go different ways.
func distinctKeys(batch []*request) int {
	seen := map[expect.Key]bool{}
	for n, r := range batch {
		if seen[r.Key()] {
			return n
		}
		seen[r.Key()] = true
	}
	return len(batch)
}

// sweepLength bounds the promises of one sweep, so that those who wait to
// open one do not wait for long.
const sweepLength = 256

// sweepEnded deletes the rules of ended promises in one transaction. Where that
// fails, some of them are gone already (a foreign flush), and a look at what
// is there removes the rest.
func (w *worker) sweepEnded(ctx context.Context) {
	now := time.Now()
	w.ledger.forgetExpired(now)
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
		w.finishEnded(ended)
		return
	}
	if _, err := w.reconcile(ctx); err != nil {
		w.swept.Count(len(ended), err)
		w.options.Observe(report.Event{Kind: report.SweepFailed, Family: w.family, Rules: texts(t.deletes), Err: err})
	}
}

// finishEnded notes that the rules of promises are gone, and tells of those that
// nobody had used or closed.
func (w *worker) finishEnded(ended []entry) {
	w.swept.Count(len(ended), nil)
	w.ledger.markSwept(time.Now(), ids(ended)...)
	for _, e := range ended {
		if !e.closed && !e.used {
			w.options.Observe(report.Event{Kind: report.Expired, Family: w.family, Pinhole: report.Pinhole{Expectation: e.Expectation, State: e.state()}})
		}
	}
}
