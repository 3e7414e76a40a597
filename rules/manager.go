package rules

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"ftpalg/alg/expect"
	"ftpalg/rules/rule"
)

// Manager makes the kernel agree: with the Static rules, and with the
// promises that are open. Its methods may be called from any goroutine.
type Manager struct {
	options  Options
	workers  []*worker
	missing  map[Family]error
	versions []string
	// leftovers removes what a predecessor left.
	leftovers func(context.Context) error
	// connect begins to keep promises.
	connect func(context.Context, *Manager) error

	openCount counter

	mu      sync.Mutex // held while Start, Apply and Stop are at work
	static  Static
	started bool
	running atomic.Bool // for the methods which must not wait for mu

	// Set by Start, before running is.
	chosen   Path
	why      string
	pinholes opener
	// watcher follows the connections; nil where there are no events.
	watcher *watcher
}

// New finds the tools of both families. One family may be missing, until
// something needs it; New fails with ErrUnavailable if both are.
func New(o Options) (*Manager, error) {
	o = o.withDefaults()
	if o.Mark == o.PinholeMark || o.Mark == o.ExpectationMark || o.PinholeMark == o.ExpectationMark {
		return nil, fmt.Errorf("rules: %w options: two of Mark %#x, PinholeMark %#x, ExpectationMark %#x are the same",
			ErrInvalid, o.Mark, o.PinholeMark, o.ExpectationMark)
	}
	m := &Manager{options: o, missing: map[Family]error{}, connect: connect}
	m.leftovers = func(ctx context.Context) error { _, err := Cleanup(ctx, o); return err }
	for _, f := range []Family{IPv4, IPv6} {
		t, err := findTools(f, "")
		var version string
		if err == nil {
			version, err = t.version()
		}
		if err != nil {
			m.missing[f] = err
			continue
		}
		k, err := t.kernel(o)
		if err != nil {
			return nil, err
		}
		m.workers = append(m.workers, newWorker(f, k, o))
		m.versions = append(m.versions, version)
	}
	if len(m.workers) == 0 {
		return nil, errors.Join(m.missing[IPv4], m.missing[IPv6])
	}
	return m, nil
}

// Describe returns the tools with their versions and generations.
func (m *Manager) Describe() string {
	parts := slices.Clone(m.versions)
	for _, f := range []Family{IPv4, IPv6} {
		if m.missing[f] != nil {
			parts = append(parts, "no "+tool(f))
		}
	}
	return strings.Join(parts, ", ")
}

// Start settles the path, removes what a predecessor left and installs
// chains, jumps, static rules and the policy route. If it fails, nothing of
// ours is left, as far as the kernel allows. A Manager starts once.
func (m *Manager) Start(ctx context.Context, s Static) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started {
		return fmt.Errorf("rules: start: %w: started before", ErrStopped)
	}
	if err := m.possible(s); err != nil {
		return err
	}
	if err := m.settle(ctx); err != nil {
		return err
	}
	if err := m.leftovers(ctx); err != nil {
		return err
	}
	m.started = true
	for _, w := range m.workers {
		go w.runWorker()
	}
	err := m.each(func(w *worker) error {
		p := makePlan(m.options, w.family, s)
		return w.doTask(ctx, func(ctx context.Context) error { return w.startPlan(ctx, p) })
	})
	if err != nil {
		return errors.Join(err, m.stopLocked(context.WithoutCancel(ctx)))
	}
	if err := m.connect(ctx, m); err != nil {
		return errors.Join(err, m.stopLocked(context.WithoutCancel(ctx)))
	}
	m.static = s
	m.running.Store(true)
	return nil
}

// Apply replaces the static rules; open pinholes stay as they are. If it
// fails, the former rules are in force.
func (m *Manager) Apply(ctx context.Context, s Static) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.running.Load() {
		return fmt.Errorf("rules: apply: %w", ErrStopped)
	}
	if err := m.possible(s); err != nil {
		return err
	}
	s = s.After(m.static)
	if err := m.applyLocked(ctx, s); err != nil {
		return errors.Join(err, m.applyLocked(context.WithoutCancel(ctx), m.static))
	}
	m.static = s
	return nil
}

func (m *Manager) applyLocked(ctx context.Context, s Static) error {
	return m.each(func(w *worker) error {
		p := makePlan(m.options, w.family, s)
		return w.doTask(ctx, func(ctx context.Context) error { return w.applyPlan(ctx, p) })
	})
}

// each has all workers do something at once: most of its time passes in
// processes, and those of one family need not wait for the other's.
func (m *Manager) each(do func(*worker) error) error {
	failures := make([]error, len(m.workers))
	var working sync.WaitGroup
	for i, w := range m.workers {
		working.Go(func() { failures[i] = do(w) })
	}
	working.Wait()
	return errors.Join(failures...)
}

// possible refuses rules for a family whose tools are missing.
func (m *Manager) possible(s Static) error {
	if err := s.Validate(); err != nil {
		return err
	}
	for f, err := range m.missing {
		if len(s.Rules(f, m.options.marks())) > 0 {
			return err
		}
	}
	return nil
}

// Open admits the promised connection and returns when the kernel has
// confirmed it: all its rules, or an error and none. An older promise from
// the same host to the same address and port is replaced. If ctx ends first,
// the promise counts as closed.
func (m *Manager) Open(ctx context.Context, e expect.Expectation) error {
	if !m.running.Load() {
		return fmt.Errorf("rules: open: %w", ErrStopped)
	}
	if err := rule.Validate(e); err != nil {
		return err
	}
	f := rule.FamilyOf(e.From)
	if err := m.missing[f]; err != nil {
		return err
	}
	err := m.pinholes.openPinhole(ctx, e)
	m.openCount.count(1, err)
	return err
}

// Close ends a promise; one that is not open is no error. It never waits
// for the kernel: what stands there goes with the next sweep.
func (m *Manager) Close(id expect.ID) {
	if m.running.Load() {
		m.pinholes.closePinhole(id)
	}
}

// Cut has the kernel forget the data connections of a session that go on.
// Where they were translated, or the firewall admits only what the kernel
// knows, no more of them passes. Where connections are not followed it does
// nothing.
func (m *Manager) Cut(session uint64) {
	if m.running.Load() && m.watcher != nil {
		m.watcher.cutSession(session)
	}
}

// Pinholes returns every promise that is in the kernel or on the way there,
// or whose connection has come, in the order of their numbers.
func (m *Manager) Pinholes() []Pinhole {
	if !m.running.Load() {
		return nil
	}
	all := m.pinholes.pinholes()
	slices.SortFunc(all, func(a, b Pinhole) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Rules returns what stands in the kernel for a promise: rules as `iptables
// -S` prints them, each with its table, or an expectation. There is nothing
// before the kernel has confirmed it, nor after the connection has come.
func (m *Manager) Rules(id expect.ID) []string {
	if !m.running.Load() {
		return nil
	}
	return m.pinholes.rules(id)
}

// Stop removes everything, the policy route too, and ends the workers. What
// waits in Open gets ErrStopped. It may be called again.
func (m *Manager) Stop(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.running.Load() {
		return nil
	}
	return m.stopLocked(ctx)
}

func (m *Manager) stopLocked(ctx context.Context) error {
	m.running.Store(false)
	return errors.Join(m.disconnect(), m.each(func(w *worker) error {
		err := w.doTask(ctx, w.removeAll)
		close(w.quit)
		<-w.done
		return err
	}))
}
