package rules

import (
	"context"
	"errors"
	"fmt"
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/expectation"
	"ftpalg/rules/follow"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
)

// Path is the way in which pinholes are opened.
type Path uint8

// The paths.
const (
	// IPTables opens a pinhole with rules of its own.
	IPTables Path = iota
	// Conntrack opens it as a conntrack expectation.
	Conntrack
	// Auto is Conntrack where a probe shows that it works, else IPTables. It
	// is settled at Start.
	Auto
)

var pathNames = [...]string{IPTables: "iptables", Conntrack: "conntrack", Auto: "auto"}

// String returns the path's name in configurations.
func (p Path) String() string {
	if p > Auto {
		return fmt.Sprintf("Path(%d)", uint8(p))
	}
	return pathNames[p]
}

// dataPath is how promises get into the kernel, and what is known of them. Its
// methods may be called from any goroutine.
type dataPath interface {
	// Open returns when the kernel has confirmed a promise.
	Open(context.Context, expect.Expectation) error
	// Close ends a promise. It does not wait for the kernel.
	Close(expect.ID)
	Pinholes() []report.Pinhole
	// Rules returns what stands in the kernel for a promise.
	Rules(expect.ID) []string
	follow.Path
}

// Path returns the path that is in force, "iptables" or "conntrack", and why.
// Before Start it returns the path that was asked for.
func (m *Manager) Path() (path, why string) {
	if !m.running.Load() {
		return m.options.Path.String(), "not started"
	}
	return m.chosen.String(), m.why
}

// settle decides on the path.
func (m *Manager) settle(ctx context.Context) error {
	m.chosen, m.why = m.options.Path, "configured"
	if m.chosen == IPTables {
		return nil
	}
	err := expectation.Probe(ctx, m.options.ExpectationMark, m.options.EventBuffer)
	switch {
	case err == nil && m.chosen == Auto:
		m.chosen, m.why = Conntrack, "a probe showed that it works"
	case err != nil && m.chosen == Auto:
		m.chosen, m.why = IPTables, err.Error()
	case err != nil:
		return err
	}
	m.options.Path = m.chosen // the static rules depend on it
	return nil
}

// connect begins to keep promises in the path that is in force, and to follow
// their connections. Rules do without: where there is no ctnetlink, a use is
// noticed at the next check, and an end not at all.
func (m *Manager) connect(adopted []report.Pinhole) error {
	if m.chosen == Conntrack {
		return m.connectTracker(adopted)
	}
	m.path = m.filter
	w, err := follow.New(m.options.watcher(0), m.filter)
	if err != nil {
		m.why += fmt.Sprintf(" (connections are not followed: %s)", err)
		return nil
	}
	m.watcher = w
	w.Start()
	return nil
}

func (m *Manager) connectTracker(adopted []report.Pinhole) error {
	k, err := m.dial()
	if err != nil {
		return err
	}
	t := expectation.New(m.options.tracker(), k)
	if adopted != nil {
		err = t.AdoptPinholes(adopted)
	}
	w, failed := follow.New(m.options.watcher(m.options.ExpectationMark), t)
	if err = errors.Join(err, failed); err != nil {
		return errors.Join(err, k.Close())
	}
	w.Start()
	t.Start(w.Colliding, m.missingFor)
	m.path, m.tracker, m.watcher = t, t, w
	return nil
}

func dialTracking() (expectation.Asker, error) { return ctnetlink.Dial() }

// missingFor returns why a promise's connection could not be accepted or
// translated, although the expectation could be made.
func (m *Manager) missingFor(e expect.Expectation) error {
	f := rule.FamilyOf(e.From)
	if err := m.filter.Lacks(f, rule.FilterForward); err != nil {
		return err
	}
	if rule.TranslatedTarget(e) || e.Seen != e.From {
		return m.filter.Lacks(f, rule.NATPrerouting)
	}
	return nil
}
