package iptables

import (
	"context"
	"errors"
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are a Filter's settings; see rules.Options.
type Options struct {
	Mark, PinholeMark        uint32
	RouteTable, RulePriority int
	SweepEvery, CheckEvery   time.Duration
	Observe                  func(report.Event)
}

// Filter is the packet filter of both families: it keeps the rules that it is
// given, and is the data path in which each pinhole has rules of its own. Its
// methods may be called from any goroutine, but Start, Apply, Stop and Leave
// one after the other.
type Filter struct {
	options  Options
	workers  []*worker
	missing  map[rule.Family]error
	rules    Ruleset // in force
	running  bool
	versions []string
}

// New finds the tools of both families. One family may be missing, until
// something needs it; newFilter fails with ErrUnavailable if both are.
func New(o Options) (*Filter, error) {
	f := &Filter{options: o, missing: map[rule.Family]error{}}
	for _, family := range []rule.Family{rule.IPv4, rule.IPv6} {
		t, err := findTools(family, "")
		var version string
		if err == nil {
			version, err = t.version()
		}
		if err != nil {
			f.missing[family] = err
			continue
		}
		k, err := t.kernel(o)
		if err != nil {
			return nil, err
		}
		f.workers = append(f.workers, newWorker(family, k, o))
		f.versions = append(f.versions, version)
	}
	if len(f.workers) == 0 {
		return nil, errors.Join(f.missing[rule.IPv4], f.missing[rule.IPv6])
	}
	return f, nil
}

// Describe returns the tools with their versions and generations.
func (f *Filter) Describe() string {
	parts := slices.Clone(f.versions)
	for _, family := range []rule.Family{rule.IPv4, rule.IPv6} {
		if f.missing[family] != nil {
			parts = append(parts, "no "+tool(family))
		}
	}
	return strings.Join(parts, ", ")
}

// Missing returns why rules of a family cannot be had on this machine, or nil
// if they can.
func (f *Filter) Missing(family rule.Family) error { return f.missing[family] }

// Ruleset returns the rules of a family that control connections need.
type Ruleset func(rule.Family) []rule.Rule

// Possible fails with ErrUnavailable if there are rules for a family whose tools
// are missing.
func (f *Filter) Possible(rules Ruleset) error {
	for family, err := range f.missing {
		if len(rules(family)) > 0 {
			return err
		}
	}
	return nil
}

// Start installs chains, jumps, the rules and the policy route. If it fails,
// nothing of ours is left, as far as the kernel allows. A pinhole that is
// adopted has its rules in the kernel already, from a predecessor, and keeps
// them; whatever else a predecessor left is removed.
func (f *Filter) Start(ctx context.Context, rules Ruleset, adopted []report.Pinhole) error {
	f.running = true
	for _, w := range f.workers {
		w.adoptPinholes(adopted)
		go w.runWorker()
	}
	err := f.each(func(w *worker) error {
		p := makePlan(rules(w.family))
		return w.doTask(ctx, func(ctx context.Context) error { return w.startPlan(ctx, p) })
	})
	if err != nil {
		return errors.Join(err, f.Stop(context.WithoutCancel(ctx)))
	}
	f.rules = rules
	return nil
}

// Apply replaces the rules; open pinholes stay as they are. If it fails, the
// former rules are in force.
func (f *Filter) Apply(ctx context.Context, rules Ruleset) error {
	if err := f.applyRules(ctx, rules); err != nil {
		return errors.Join(err, f.applyRules(context.WithoutCancel(ctx), f.rules))
	}
	f.rules = rules
	return nil
}

func (f *Filter) applyRules(ctx context.Context, rules Ruleset) error {
	return f.each(func(w *worker) error {
		p := makePlan(rules(w.family))
		return w.doTask(ctx, func(ctx context.Context) error { return w.applyPlan(ctx, p) })
	})
}

// Stop removes everything, the policy route too, and ends the workers. What
// waits in Open gets ErrStopped. It may be called again.
func (f *Filter) Stop(ctx context.Context) error {
	if !f.running {
		return nil
	}
	f.running = false
	return f.each(func(w *worker) error {
		err := w.doTask(ctx, w.removeAll)
		w.halt()
		return err
	})
}

// Leave ends the workers and leaves everything in the kernel, for a successor.
func (f *Filter) Leave() error {
	f.running = false
	return f.each(func(w *worker) error { w.halt(); return nil })
}

// each has all workers do something at once: most of its time passes in
// processes, and those of one family need not wait for the other's.
func (f *Filter) each(do func(*worker) error) error {
	failures := make([]error, len(f.workers))
	var working sync.WaitGroup
	for i, w := range f.workers {
		working.Go(func() { failures[i] = do(w) })
	}
	working.Wait()
	return errors.Join(failures...)
}

// worker returns a family's, nil if its tools are missing.
func (f *Filter) worker(family rule.Family) *worker {
	for _, w := range f.workers {
		if w.family == family {
			return w
		}
	}
	return nil
}

// Lacks returns why rules at a hook cannot be had although the family's tools
// are there, or nil if they can.
func (f *Filter) Lacks(family rule.Family, h rule.Hook) error {
	return f.worker(family).absent[place(h).table]
}

// Open implements the data path: it returns when the kernel has confirmed the
// rules of a pinhole.
func (f *Filter) Open(ctx context.Context, e expect.Expectation) error {
	return f.worker(rule.FamilyOf(e.From)).openPinhole(ctx, e)
}

// Close implements the data path: the rules go with the next sweep.
func (f *Filter) Close(id expect.ID) {
	for _, w := range f.workers {
		w.ledger.closePinhole(id)
	}
}

// Pinholes implements the data path.
func (f *Filter) Pinholes() []report.Pinhole {
	var all []report.Pinhole
	for _, w := range f.workers {
		all = append(all, w.ledger.pinholes()...)
	}
	return all
}

// Rules implements the data path. They read as `iptables -S` prints them, each
// with its table.
func (f *Filter) Rules(id expect.ID) []string {
	var lines []string
	for _, w := range f.workers {
		lines = append(lines, texts(w.ledger.rules(id))...)
	}
	return lines
}

// MarkConnected implements follow.Path.
func (f *Filter) MarkConnected(k expect.Key) (expect.Expectation, bool) {
	w := f.worker(rule.FamilyOf(k.From))
	if w == nil {
		return expect.Expectation{}, false
	}
	return w.ledger.markConnected(k)
}

// MarkEstablished implements follow.Path: a pinhole's rules are needed until
// its connection is established, for the first packet may have to come twice.
func (f *Filter) MarkEstablished(id expect.ID) {
	for _, w := range f.workers {
		w.ledger.markEstablished(id)
	}
}

// Reopen implements follow.Path: a rule's one token is spent.
func (f *Filter) Reopen(expect.ID) bool { return false }

// IsMasterEntry implements follow.Path: rules need none.
func (f *Filter) IsMasterEntry(ctnetlink.Flow) bool { return false }

// MasterDeleted implements follow.Path.
func (f *Filter) MasterDeleted(ctnetlink.Flow) {}

// Health says how the rules are, and counts what was done.
type Health struct {
	// Verified is when the kernel was last found, or made, to hold all our
	// rules and no others; of two families the one for which that was longer
	// ago. It is the zero Time before Start.
	Verified time.Time
	// Installed is how many rules of ours there were then.
	Installed int
	// Opened and Closed count pinholes, Reconciled the comparisons with the
	// kernel.
	Opened, Closed, Reconciled report.Tally
}

// Health tells how the rules are. It never waits for the kernel.
func (f *Filter) Health() Health {
	var h Health
	for i, w := range f.workers {
		h.Installed += int(w.installed.Load())
		h.Reconciled = h.Reconciled.Plus(w.reconciled.Read())
		h.Opened = h.Opened.Plus(w.opened.Read())
		h.Closed = h.Closed.Plus(w.swept.Read())
		if v, _ := w.verified.Load().(time.Time); i == 0 || v.Before(h.Verified) {
			h.Verified = v
		}
	}
	return h
}

// Plan returns the commands of iptables(8), ip6tables(8) and ip(8) that would
// have the effect of Start, in order.
func Plan(o Options, rules Ruleset) []string {
	var lines []string
	for _, f := range []rule.Family{rule.IPv4, rule.IPv6} {
		lines = append(lines, makePlan(rules(f)).lines(o, f)...)
	}
	return lines
}

// PinholeLines returns the rules of a pinhole as `iptables -S` would print
// them. Local says that its target is this machine.
func PinholeLines(o Options, e expect.Expectation, local bool) []string {
	return texts(linesOf(rule.Pinhole(e, o.PinholeMark, local)))
}

// Cleanup removes every jump, chain, rule and policy route that a Filter with
// these settings left behind, in both families and in every generation of
// iptables that this machine has, and returns what it removed.
func Cleanup(ctx context.Context, o Options) ([]string, error) {
	all, err := allTools()
	if err != nil {
		return nil, err
	}
	var removed []string
	var failures []error
	for _, t := range all {
		lines, err := t.cleanup(ctx, o)
		removed = append(removed, lines...)
		failures = append(failures, err)
	}
	return removed, errors.Join(failures...)
}
