package iptables

import (
	"cmp"
	"fmt"
	"ftpalg/alg/expect"
	"ftpalg/rules/report"
	"slices"
	"sync"
	"time"
)

// ledger is what one worker believes of its pinholes. Callers of the
// Manager write what they want, the worker what the kernel has confirmed.
type ledger struct {
	mu      sync.Mutex
	entries map[expect.ID]*entry
	newest  map[expect.Key]expect.ID // the newest promise of each
}

// entry is one promise. Its rules are in the kernel if installed is set;
// while it is not, they may be. They are needed until its connection is
// settled: the first packet may have to come twice.
type entry struct {
	expect.Expectation
	rules                                           []line
	installed, used, connected, established, closed bool
}

func newLedger() *ledger {
	return &ledger{entries: map[expect.ID]*entry{}, newest: map[expect.Key]expect.ID{}}
}

// ended reports whether a promise's rules have to go.
func (e *entry) ended(now time.Time) bool { return e.closed || e.established || !now.Before(e.Until) }

func (e *entry) state() report.State {
	switch {
	case e.closed:
		return report.Closing
	case e.used:
		return report.Used
	case !e.installed:
		return report.Opening
	default:
		return report.Open
	}
}

// addPinhole enters a promise. Its ID must be new.
func (l *ledger) addPinhole(e expect.Expectation, rules []line) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.entries[e.ID]; known {
		return fmt.Errorf("rules: %w promise: number %d is taken: %s", report.ErrInvalid, e.ID, e)
	}
	l.entries[e.ID] = &entry{Expectation: e, rules: rules}
	l.newest[e.Key()] = e.ID
	return nil
}

// adoptPinhole enters a promise whose rules are in the kernel, unless its
// connection has come.
func (l *ledger) adoptPinhole(p report.Pinhole, rules []line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[p.ID] = &entry{Expectation: p.Expectation, rules: rules, installed: true, used: p.State == report.Used}
	l.newest[p.Key()] = p.ID
}

// closePinhole ends a promise, known or not.
func (l *ledger) closePinhole(id expect.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil {
		e.closed = true
		if e.established && !e.installed {
			l.deleteLocked(e)
		}
	}
}

func (l *ledger) deleteLocked(e *entry) {
	delete(l.entries, e.ID)
	if l.newest[e.Key()] == e.ID {
		delete(l.newest, e.Key())
	}
}

// stillWanted reports whether a promise is still wanted, and forgets it if not.
func (l *ledger) stillWanted(id expect.ID, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[id]
	if e != nil && e.ended(now) {
		l.deleteLocked(e)
		return false
	}
	return e != nil
}

// markInstalled records that the kernel has a promise's rules.
func (l *ledger) markInstalled(id expect.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil {
		e.installed = true
	}
}

// markUsed records that a promise's connection has come.
func (l *ledger) markUsed(id expect.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil {
		e.used = true
	}
}

// markConnected records that a connection has come this way, and returns the
// promise that it came through.
func (l *ledger) markConnected(w expect.Key) (expect.Expectation, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := l.entries[l.newest[w]]
	if e == nil || e.connected || e.Key() != w {
		return expect.Expectation{}, false
	}
	e.used, e.connected = true, true
	return e.Expectation, true
}

// markEstablished records that a promise's connection is established.
func (l *ledger) markEstablished(id expect.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil {
		e.established = true
	}
}

// markSwept records that a promise's rules are gone, while it stays for those
// who ask. One that has ended altogether goes.
func (l *ledger) markSwept(now time.Time, ids ...expect.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		e := l.entries[id]
		switch {
		case e == nil:
		case e.closed || !now.Before(e.Until):
			l.deleteLocked(e)
		default:
			e.rules, e.installed = nil, false
		}
	}
}

// forgetExpired forgets stripped promises after their deadline.
func (l *ledger) forgetExpired(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.established && !e.installed && !now.Before(e.Until) {
			l.deleteLocked(e)
		}
	}
}

func (l *ledger) forgetPinholes(ids ...expect.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		if e := l.entries[id]; e != nil {
			l.deleteLocked(e)
		}
	}
}

func (l *ledger) forgetAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.entries)
	clear(l.newest)
}

// installedWhere returns copies of the entries whose rules are in the
// kernel and which the function picks, in the order of their numbers.
func (l *ledger) installedWhere(pick func(*entry) bool) []entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var picked []entry
	for _, e := range l.entries {
		if e.installed && pick(e) {
			picked = append(picked, *e)
		}
	}
	slices.SortFunc(picked, func(a, b entry) int { return cmp.Compare(a.ID, b.ID) })
	return picked
}

// busy reports whether any rules await their end.
func (l *ledger) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries) > 0
}

func (l *ledger) pinholes() []report.Pinhole {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []report.Pinhole
	for _, e := range l.entries {
		list = append(list, report.Pinhole{Expectation: e.Expectation, State: e.state()})
	}
	return list
}

func (l *ledger) rules(id expect.ID) []line {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[id]; e != nil && e.installed {
		return e.rules
	}
	return nil
}

func ids(entries []entry) []expect.ID {
	list := make([]expect.ID, len(entries))
	for i, e := range entries {
		list[i] = e.ID
	}
	return list
}
