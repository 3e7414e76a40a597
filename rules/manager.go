package rules

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/expectation"
	"ftpalg/rules/follow"
	"ftpalg/rules/iptables"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"slices"
	"sync"
	"sync/atomic"
)

// Manager makes the kernel agree: with the Static rules, and with the
// promises that are open. Its methods may be called from any goroutine.
type Manager struct {
	options Options
	filter  *iptables.Filter
	// dial reaches connection tracking, for the path of expectations.
	dial func() (expectation.Asker, error)

	mu      sync.Mutex // held while Start, Adopt, Apply, Stop and Leave are at work
	static  Static
	started bool
	running atomic.Bool // for the methods which must not wait for mu

	// Set by Start, before running is.
	chosen Path
	why    string
	path   dataPath
	// tracker is the path where that is Conntrack, else nil.
	tracker *expectation.Tracker
	// watcher follows the connections; nil where there are no events.
	watcher *follow.Watcher
	// hold keeps translated connections alive while a foreign firewall empties its
	// tables; nil where the kernel cannot.
	hold *ctnetlink.Hold
}

// New finds the tools of both families. One family may be missing, until
// something needs it; New fails with ErrUnavailable if both are, and with
// ErrInvalid if two of the marks are the same.
func New(o Options) (*Manager, error) {
	o = o.withDefaults()
	if o.Mark == o.PinholeMark || o.Mark == o.ExpectationMark || o.PinholeMark == o.ExpectationMark {
		return nil, fmt.Errorf("rules: %w options: two of Mark %#x, PinholeMark %#x, ExpectationMark %#x are the same",
			report.ErrInvalid, o.Mark, o.PinholeMark, o.ExpectationMark)
	}
	f, err := iptables.New(o.filter())
	if err != nil {
		return nil, err
	}
	return &Manager{options: o, filter: f, dial: dialTracking}, nil
}

// Describe returns the tools with their versions and generations.
func (m *Manager) Describe() string { return m.filter.Describe() }

// Missing returns why rules of a family cannot be had on this machine, or nil
// if they can.
func (m *Manager) Missing(f Family) error { return m.filter.Missing(f) }

// Start settles the path, removes what a dead predecessor left and installs
// chains, jumps, static rules and the policy route. If it fails, nothing of
// ours is left, as far as the kernel allows. A Manager starts once. The error
// wraps ErrInvalid, ErrUnavailable, ErrNotPermitted, ErrBusy or ErrFull where
// that is known.
func (m *Manager) Start(ctx context.Context, s Static) error {
	return m.start(ctx, s, nil, func() error { _, err := Cleanup(ctx, m.options); return err })
}

// Adopt is Start beside what a predecessor left that still lives, or did until
// now: the pinholes that it names stay open, one token each, with their
// connections; whatever else of ours is there is removed. A connection that
// has come already is reported as Connected once more. The predecessor ends by
// Leave, at the latest before this Manager is to open a pinhole.
func (m *Manager) Adopt(ctx context.Context, s Static, pinholes []report.Pinhole) error {
	if pinholes == nil {
		pinholes = []report.Pinhole{} // none is open, but something may be left
	}
	return m.start(ctx, s, pinholes, func() error { return nil })
}

func (m *Manager) start(ctx context.Context, s Static, adopted []report.Pinhole, cleanUp func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.started {
		return fmt.Errorf("rules: start: %w: started before", report.ErrStopped)
	}
	if err := m.possible(s); err != nil {
		return err
	}
	if err := m.settle(ctx); err != nil {
		return err
	}
	if err := cleanUp(); err != nil {
		return err
	}
	m.started = true
	if err := m.filter.Start(ctx, m.options.ruleset(s), m.inRules(adopted)); err != nil {
		return err
	}
	if err := m.connect(adopted); err != nil {
		return errors.Join(err, m.filter.Stop(context.WithoutCancel(ctx)))
	}
	m.holdTracking()
	m.static = s
	m.running.Store(true)
	return nil
}

// holdTracking keeps connection tracking on. A gateway does without it, until
// a foreign firewall empties its tables.
func (m *Manager) holdTracking() {
	h, err := ctnetlink.HoldTracking()
	if err != nil {
		m.why += fmt.Sprintf(" (a reload of the firewall may cut transfers: %s)", err)
		return
	}
	m.hold = h
}

// inRules returns the pinholes that are in the packet filter.
func (m *Manager) inRules(all []report.Pinhole) []report.Pinhole {
	if m.chosen == Conntrack {
		return nil
	}
	return all
}

// Apply replaces the static rules; open pinholes stay as they are. If it
// fails, the former rules are in force. The error wraps what Start's does, or
// ErrStopped.
func (m *Manager) Apply(ctx context.Context, s Static) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.running.Load() {
		return fmt.Errorf("rules: apply: %w", report.ErrStopped)
	}
	if err := m.possible(s); err != nil {
		return err
	}
	s = s.After(m.static)
	if err := m.filter.Apply(ctx, m.options.ruleset(s)); err != nil {
		return err
	}
	m.static = s
	return nil
}

// possible refuses rules that cannot be expressed, or whose tools are missing.
func (m *Manager) possible(s Static) error {
	if err := s.Validate(); err != nil {
		return err
	}
	return m.filter.Possible(m.options.ruleset(s))
}

// Open admits the promised connection and returns when the kernel has
// confirmed it: all its rules, or an error and none. An older promise from
// the same host to the same address and port is replaced. If ctx ends first,
// the promise counts as closed. The error wraps ErrInvalid, ErrUnavailable,
// ErrNotPermitted, ErrBusy, ErrFull, ErrEnded or ErrStopped where that is known.
func (m *Manager) Open(ctx context.Context, e expect.Expectation) error {
	if !m.running.Load() {
		return fmt.Errorf("rules: open: %w", report.ErrStopped)
	}
	if err := rule.Validate(e); err != nil {
		return err
	}
	if err := m.Missing(rule.FamilyOf(e.From)); err != nil {
		return err
	}
	if m.tracker == nil && m.watcher != nil { // a tracker asks for it itself
		m.watcher.ForgetColliding(e)
	}
	return m.path.Open(ctx, e)
}

// Close ends a promise; one that is not open is no error. It never waits
// for the kernel: what stands there goes with the next sweep.
func (m *Manager) Close(id expect.ID) {
	if m.running.Load() {
		m.path.Close(id)
	}
}

// Cut has the kernel forget the data connections of a session that go on.
// Where they were translated, or the firewall admits only what the kernel
// knows, no more of them passes. Where connections are not followed it does
// nothing.
func (m *Manager) Cut(session uint64) {
	if m.running.Load() && m.watcher != nil {
		m.watcher.Cut(session)
	}
}

// Pinholes returns every promise that is in the kernel or on the way there,
// or whose connection has come, in the order of their numbers.
func (m *Manager) Pinholes() []report.Pinhole {
	if !m.running.Load() {
		return nil
	}
	all := m.path.Pinholes()
	slices.SortFunc(all, func(a, b report.Pinhole) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// Rules returns what stands in the kernel for a promise: rules as `iptables
// -S` prints them, each with its table, or an expectation. There is nothing
// before the kernel has confirmed it, nor after the connection has come.
func (m *Manager) Rules(id expect.ID) []string {
	if !m.running.Load() {
		return nil
	}
	return m.path.Rules(id)
}

// Health tells how the Manager is. It never waits for the kernel.
func (m *Manager) Health() iptables.Health {
	h := m.filter.Health()
	if m.running.Load() && m.tracker != nil {
		h.Opened, h.Closed = m.tracker.Opened(), m.tracker.Closed()
	}
	return h
}

// Stop removes everything, the policy route too, and ends what runs in the
// background. What waits in Open gets ErrStopped. It may be called again.
func (m *Manager) Stop(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.running.CompareAndSwap(true, false) {
		return nil
	}
	failures := []error{m.unfollow(), m.release()}
	if m.tracker != nil {
		failures = append(failures, m.tracker.Stop())
	}
	return errors.Join(append(failures, m.filter.Stop(ctx))...)
}

// Leave ends what runs in the background and leaves everything in the kernel,
// for a successor that adopts it.
func (m *Manager) Leave() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.running.CompareAndSwap(true, false) {
		return nil
	}
	failures := []error{m.unfollow(), m.release()}
	if m.tracker != nil {
		failures = append(failures, m.tracker.Leave())
	}
	return errors.Join(append(failures, m.filter.Leave())...)
}

func (m *Manager) unfollow() error {
	if m.watcher == nil {
		return nil
	}
	return m.watcher.Stop()
}

func (m *Manager) release() error {
	if m.hold == nil {
		return nil
	}
	return m.hold.Close()
}
