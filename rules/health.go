package rules

import (
	"time"
)

// Missing returns why rules of a family cannot be had on this machine, or nil
// if they can.
func (m *Manager) Missing(f Family) error { return m.missing[f] }

// Health says how a Manager is, and counts what it did.
type Health struct {
	// Verified is when the kernel was last found, or made, to hold all our
	// rules and no others; of two families the one for which that was longer
	// ago. It is the zero Time before Start.
	Verified time.Time
	// Installed is how many rules of ours there were then.
	Installed int
	// Opened and Closed count pinholes, Reconciled the comparisons with the
	// kernel.
	Opened, Closed, Reconciled Tally
}

// Health tells how the Manager is. It never waits for the kernel.
func (m *Manager) Health() Health {
	h := Health{Opened: m.openCount.read()}
	for i, w := range m.workers {
		h.Installed += int(w.installed.Load())
		h.Reconciled = h.Reconciled.plus(w.reconciled.read())
		h.Closed = h.Closed.plus(w.swept.read())
		if v, _ := w.verified.Load().(time.Time); i == 0 || v.Before(h.Verified) {
			h.Verified = v
		}
	}
	if !m.running.Load() {
		return h
	}
	if t, ok := m.pinholes.(*tracker); ok {
		h.Closed = h.Closed.plus(t.withdrawn.read())
	}
	return h
}
