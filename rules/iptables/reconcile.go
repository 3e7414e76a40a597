package iptables

import (
	"context"
	"errors"
	"ftpalg/rules/report"
	"slices"
	"time"
)

// desired is what one family's kernel should hold at a moment.
type desired struct {
	plan plan
	// open are the rules of promises that still admit their connection.
	open []line
	// used are rules that may be there or not: a used promise must not
	// come back with a new token after a flush.
	used []line
	// ended are rules that go.
	ended []line
}

// desiredState sorts promises by what should become of their rules.
func desiredState(p plan, entries []entry, now time.Time) desired {
	b := desired{plan: p}
	for _, e := range entries {
		switch {
		case e.ended(now):
			b.ended = append(b.ended, e.rules...)
		case e.used:
			b.used = append(b.used, e.rules...)
		default:
			b.open = append(b.open, e.rules...)
		}
	}
	return b
}

// difference is where the kernel does not agree with a belief.
type difference struct {
	chains                  []chain // missing, like the next four
	static, pinholes, jumps []line
	route                   bool
	ended, strays           []line  // there, but should not be
	strayChains             []chain // there, but should not be
}

// differenceTo finds the difference. Rules without our comment are foreign even
// in our chains, and stay.
func (b desired) differenceTo(s snapshot) difference {
	var d difference
	chains := map[chain]bool{}
	for _, c := range s.chains {
		chains[c] = true
	}
	count := map[key]int{}
	for _, r := range s.rules {
		count[r.key()]++
	}
	for _, c := range b.plan.chains {
		if !chains[c] {
			d.chains = append(d.chains, c)
		}
		delete(chains, c)
		d.jumps = appendMissing(d.jumps, []line{c.jump()}, count)
	}
	for _, c := range s.chains {
		if chains[c] {
			d.strayChains = append(d.strayChains, c)
		}
	}
	d.static = appendMissing(nil, b.plan.static, count)
	d.pinholes = appendMissing(nil, b.open, count)
	appendMissing(nil, b.used, count)
	ended := map[key]bool{}
	for _, r := range b.ended {
		ended[r.key()] = true
	}
	for _, r := range s.rules {
		switch {
		case !r.ours() || count[r.key()] <= 0:
			continue
		case ended[r.key()]:
			d.ended = append(d.ended, r.line)
		default:
			d.strays = append(d.strays, r.line)
		}
		count[r.key()]--
	}
	return d
}

// appendMissing takes the rules from what was counted and appends those that
// were not there.
func appendMissing(to, rules []line, count map[key]int) []line {
	for _, r := range rules {
		if count[r.key()]--; count[r.key()] < 0 {
			to = append(to, r)
		}
	}
	return to
}

// missing lists what was not there, as iptables(8) and ip(8) print it.
func (d difference) missing(k kernel) []string {
	var lines []string
	for _, c := range d.chains {
		lines = append(lines, c.String())
	}
	lines = append(lines, texts(d.static)...)
	lines = append(lines, texts(d.pinholes)...)
	lines = append(lines, texts(d.jumps)...)
	if d.route {
		lines = append(lines, k.RouteCommands()...)
	}
	return lines
}

// unexpected lists what should not have been there.
func (d difference) unexpected() []string {
	lines := texts(d.strays)
	for _, c := range d.strayChains {
		lines = append(lines, c.String())
	}
	return lines
}

// added and removed are how many rules a repair adds and removes.
func (d difference) added() int   { return len(d.static) + len(d.pinholes) + len(d.jumps) }
func (d difference) removed() int { return len(d.ended) + len(d.strays) }

// checkAndReport compares, repairs, and tells if there was anything to repair.
func (w *worker) checkAndReport(ctx context.Context) {
	d, err := w.reconcile(ctx)
	w.reportRepair(append(d.missing(w.kernel), d.unexpected()...), err)
}

// repairAfterFailure is a check after a failure of our own: what is there too much is
// then only what the failure left.
func (w *worker) repairAfterFailure(ctx context.Context) {
	d, err := w.reconcile(ctx)
	w.reportRepair(d.missing(w.kernel), err)
}

func (w *worker) reportRepair(lines []string, err error) {
	switch {
	case err != nil:
		w.options.Observe(report.Event{Kind: report.RepairFailed, Family: w.family, Rules: lines, Err: err})
	case len(lines) > 0:
		w.options.Observe(report.Event{Kind: report.Drift, Family: w.family, Rules: lines})
	}
}

// reconcile makes the kernel agree with the plan and the ledger, and returns
// what it had to change.
func (w *worker) reconcile(ctx context.Context) (difference, error) {
	d, err := w.compareAndRepair(ctx)
	w.reconciled.Count(1, err)
	if err == nil {
		w.verified.Store(time.Now())
	}
	return d, err
}

func (w *worker) compareAndRepair(ctx context.Context) (difference, error) {
	s, err := w.kernel.Save(ctx)
	if err != nil {
		return difference{}, err
	}
	w.countUses(s)
	now := time.Now()
	entries := w.ledger.installedWhere(func(*entry) bool { return true })
	d := desiredState(w.plan, entries, now).differenceTo(s)
	var unknown error
	if len(d.pinholes) > 0 {
		unknown = w.askUses(entries, d.pinholes)
		d = desiredState(w.plan, entries, now).differenceTo(s)
	}
	if unknown != nil {
		d.pinholes = nil // a failed transfer is better than an open hole
	}
	if d.route, err = w.routeMissing(); err != nil {
		return d, err
	}
	if err := w.repair(ctx, d); err != nil {
		return d, err
	}
	w.installed.Store(int64(len(s.rules) + d.added() - d.removed()))
	w.finishEnded(slices.DeleteFunc(entries, func(e entry) bool { return !e.ended(now) }))
	return d, unknown
}

// repair adds what is missing, a jump after the chain it leads to is
// complete, and only then removes what should not be there.
func (w *worker) repair(ctx context.Context, d difference) error {
	var steps []func() error
	for _, table := range tables() {
		lacks := transaction{chains: d.chains, adds: d.static}.of(table)
		steps = append(steps, func() error { return w.fillTable(ctx, lacks) })
	}
	steps = append(steps, func() error { return w.restore(ctx, transaction{adds: d.pinholes}) })
	if d.route {
		steps = append(steps, w.kernel.AddRoute)
	}
	for _, r := range d.jumps {
		steps = append(steps, func() error { return w.kernel.Insert(r) })
	}
	if err := runSteps(steps); err != nil {
		return err
	}
	return w.restore(ctx, transaction{deletes: slices.Concat(d.ended, d.strays), drops: d.strayChains})
}

// fillTable makes what our chains of one table lack, together: each call of a tool
// is a process, and a busy machine takes tenths of a second for one. If the
// kernel refuses them, each is tried alone, so that a bad one keeps no other
// away.
func (w *worker) fillTable(ctx context.Context, lacks transaction) error {
	err := w.restore(ctx, lacks)
	if err == nil || isPermanent(err) {
		return err
	}
	var steps []func() error
	for _, c := range lacks.chains {
		steps = append(steps, func() error { return w.restore(ctx, transaction{chains: []chain{c}}) })
	}
	for _, r := range lacks.adds {
		steps = append(steps, func() error { return w.restore(ctx, transaction{adds: []line{r}}) })
	}
	return errors.Join(err, runSteps(steps))
}

// runSteps takes all steps, so that one that fails keeps no other away; but
// where each would wait for the same lock in vain, it stops.
func runSteps(steps []func() error) error {
	var failures []error
	for _, step := range steps {
		err := step()
		failures = append(failures, err)
		if isPermanent(err) {
			break
		}
	}
	return errors.Join(failures...)
}

func (w *worker) restore(ctx context.Context, t transaction) error {
	if t.empty() {
		return nil
	}
	return w.kernel.Restore(ctx, t)
}

func (w *worker) routeMissing() (bool, error) {
	if !w.plan.route {
		return false, nil
	}
	has, err := w.kernel.HasRoute()
	return !has, err
}
