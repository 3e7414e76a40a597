package rules

import (
	"context"
	"errors"
	"fmt"

	"ftpalg/alg/expect"
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
	// Auto is Conntrack where Probe shows that it works, else IPTables. It
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

// opener is a path: how promises get into the kernel, and what is known of
// them. Its methods may be called from any goroutine.
type opener interface {
	openPinhole(context.Context, expect.Expectation) error
	// closePinhole ends a promise. It does not wait for the kernel.
	closePinhole(expect.ID)
	pinholes() []Pinhole
	// rules returns what stands in the kernel for a promise.
	rules(expect.ID) []string
	dataPath
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
	err := probeExpectations(ctx, m.options.ExpectationMark, m.options.EventBuffer)
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

// connect begins to keep promises in the path that is in force, and to watch
// their connections. Rules do without: where there is no ctnetlink, a use is
// noticed at the next check, and an end not at all.
func connect(ctx context.Context, m *Manager) error {
	if m.chosen == Conntrack {
		return m.connectTracker()
	}
	m.pinholes = ruled(m.workers)
	w, err := newWatcher(m.watcherOptions(0), m.pinholes)
	if err != nil {
		m.why += fmt.Sprintf(" (connections are not followed: %s)", err)
		return nil
	}
	m.watcher = w
	w.start()
	return nil
}

func (m *Manager) connectTracker() error {
	k, err := dialConntrack()
	if err != nil {
		return err
	}
	t := newTracker(trackerOptions{m.options.ExpectationMark, m.options.SweepEvery, m.options.Observe}, k)
	w, err := newWatcher(m.watcherOptions(m.options.ExpectationMark), t)
	if err != nil {
		return errors.Join(err, k.close())
	}
	t.colliding, t.missingFor = w.colliding, m.missingFor
	w.start()
	go t.runSweeper()
	m.pinholes, m.watcher = t, w
	return nil
}

func (m *Manager) watcherOptions(mark uint32) watcherOptions {
	return watcherOptions{mark, m.options.EventBuffer, m.options.Connections}
}

// disconnect ends what connect began.
func (m *Manager) disconnect() error {
	var failures []error
	if m.watcher != nil {
		failures = append(failures, m.watcher.stop())
	}
	if t, ok := m.pinholes.(*tracker); ok {
		failures = append(failures, t.stop())
	}
	return errors.Join(failures...)
}

// missingFor returns why a promise's connection could not be accepted or
// translated, although the expectation could be made.
func (m *Manager) missingFor(e expect.Expectation) error {
	absent := ruled(m.workers).of(rule.FamilyOf(e.From)).absent
	if err := absent[tableFilter]; err != nil {
		return err
	}
	if rule.TranslatedTarget(e) || e.Seen != e.From {
		return absent[tableNAT]
	}
	return nil
}
