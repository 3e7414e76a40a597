package expectation

import (
	"fmt"
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/report"
	"math/rand/v2"
	"sync"
	"time"
)

// Asker is what a tracker asks of the kernel: one packet at a time.
type Asker interface {
	// Next returns the packet that is to be filled, empty.
	Next() *ctnetlink.Packet
	// Execute has the kernel carry it out, and returns what it refused.
	Execute() ([]ctnetlink.Refusal, error)
	Close() error
}

// Options are a tracker's settings; see rules.Options.
type Options struct {
	// Mark is the bit of the connection mark on master entries, and on the
	// data connections under them.
	Mark       uint32
	SweepEvery time.Duration
	Observe    func(report.Event)
}

// Tracker keeps promises as conntrack expectations. What one costs does not
// depend on how many there are.
type Tracker struct {
	options Options
	// colliding returns the ended connections that a promised one could collide
	// with.
	colliding func(expect.Expectation) []ctnetlink.Flow
	// missingFor returns what this machine lacks for a promise, nil if nothing.
	missingFor func(expect.Expectation) error

	// asking is held while the kernel is asked. It is taken before mu.
	asking sync.Mutex
	kernel Asker

	mu           sync.Mutex
	pinholesByID map[expect.ID]*pinholeEntry
	byKey        map[expect.Key]*pinholeEntry // of those that the kernel keeps
	idle         map[addresses][]*masterEntry
	closing      map[addresses][]*pinholeEntry // closed, but perhaps in the kernel still
	number       uint16                        // of the newest master entry

	// opened and withdrawn count promises that the kernel was asked to keep and
	// to forget.
	opened, withdrawn report.Counter

	quit, done chan struct{}
}

// pinholeEntry is one promise. While the kernel keeps it, it has a master entry to
// itself.
type pinholeEntry struct {
	expect.Expectation
	master *masterEntry
	// until is when the kernel ends it; zero while it has not confirmed.
	until time.Time
	// withdrawn is when the kernel was asked to forget it.
	withdrawn    time.Time
	used, closed bool
}

func New(o Options, k Asker) *Tracker {
	return &Tracker{
		options: o, kernel: k,
		colliding:    func(expect.Expectation) []ctnetlink.Flow { return nil },
		missingFor:   func(expect.Expectation) error { return nil },
		pinholesByID: map[expect.ID]*pinholeEntry{}, byKey: map[expect.Key]*pinholeEntry{}, idle: map[addresses][]*masterEntry{}, closing: map[addresses][]*pinholeEntry{},
		number: anyNumber(),
		quit:   make(chan struct{}), done: make(chan struct{}),
	}
}

// anyNumber returns a number of a master entry that others hardly have: theirs
// follow one another from somewhere else.
func anyNumber() uint16 { return uint16(rand.N(1 << 16)) }

// jump leaves the neighbourhood of numbers that are taken.
func (t *Tracker) jump() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.number = anyNumber()
}

func (p *pinholeEntry) ended(now time.Time) bool { return p.closed || !now.Before(p.Until) }

func (p *pinholeEntry) state() report.State {
	switch {
	case p.closed:
		return report.Closing
	case p.used:
		return report.Used
	case p.until.IsZero():
		return report.Opening
	default:
		return report.Open
	}
}

// stillWanted reports whether a promise has not ended yet.
func (t *Tracker) stillWanted(p *pinholeEntry, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !p.ended(now)
}

// addPinhole puts a promise into the book. Its ID must be new.
func (t *Tracker) addPinhole(p *pinholeEntry) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.pinholesByID[p.ID] != nil {
		return fmt.Errorf("rules: %w promise: number %d is taken: %s", report.ErrInvalid, p.ID, p.Expectation)
	}
	t.pinholesByID[p.ID] = p
	return nil
}

// Close implements the data path.
func (t *Tracker) Close(id expect.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pinholesByID[id]
	if p == nil || p.closed {
		return
	}
	p.closed = true
	if p.used {
		t.releaseLocked(p)
		delete(t.pinholesByID, id)
		return
	}
	a := addressesOf(p.Expectation)
	t.closing[a] = append(t.closing[a], p)
}

// MarkConnected implements the data path. The master entry is free for the next promise: the
// kernel forgot the expectation when the connection came.
func (t *Tracker) MarkConnected(w expect.Key) (expect.Expectation, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.byKey[w]
	if p == nil {
		return expect.Expectation{}, false
	}
	p.used = true
	t.releaseLocked(p)
	if p.closed {
		delete(t.pinholesByID, p.ID)
	}
	return p.Expectation, true
}

// releaseLocked notes that the kernel keeps a promise no more.
func (t *Tracker) releaseLocked(p *pinholeEntry) {
	if p.master != nil {
		t.idle[addressesOf(p.Expectation)] = append(t.idle[addressesOf(p.Expectation)], p.master)
		p.master = nil
	}
	if t.byKey[p.Key()] == p {
		delete(t.byKey, p.Key())
	}
}

// forgetPinhole takes a promise out of the book.
func (t *Tracker) forgetPinhole(p *pinholeEntry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.releaseLocked(p)
	delete(t.pinholesByID, p.ID)
}

// masterFor returns the master entry of a closed promise, else an idle one, else a
// new one.
func (t *Tracker) masterFor(a addresses, now time.Time) *masterEntry {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.takeClosedLocked(a, now); s != nil {
		return s
	}
	for len(t.idle[a]) > 0 {
		last := len(t.idle[a]) - 1
		s := t.idle[a][last]
		t.idle[a] = t.idle[a][:last]
		if now.Before(s.until) {
			return s
		}
	}
	t.number = max(t.number+1, 1)
	return newMasterEntry(a, t.number)
}

// takeClosedLocked takes its master entry from a closed promise that waits to be
// withdrawn. The kernel withdraws it when the next one is made. If it has been
// used, its event may not be read yet.
func (t *Tracker) takeClosedLocked(a addresses, now time.Time) *masterEntry {
	for len(t.closing[a]) > 0 {
		last := len(t.closing[a]) - 1
		p := t.closing[a][last]
		t.closing[a] = t.closing[a][:last]
		s := p.master
		if s == nil || p.until.IsZero() || !p.withdrawn.IsZero() || !now.Before(s.until) {
			continue
		}
		p.master, p.withdrawn = nil, now
		t.withdrawn.Count(1, nil)
		return s
	}
	return nil
}

// MarkEstablished implements the data path: an expectation is gone when it has been used.
func (t *Tracker) MarkEstablished(expect.ID) {}

// Pinholes implements the data path.
func (t *Tracker) Pinholes() []report.Pinhole {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []report.Pinhole
	for _, p := range t.pinholesByID {
		list = append(list, report.Pinhole{Expectation: p.Expectation, State: p.state()})
	}
	return list
}

// Rules implements the data path. It returns the expectation much as `conntrack -L
// expect` shows it, but for the master entry, which stays a secret.
func (t *Tracker) Rules(id expect.ID) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pinholesByID[id]
	if p == nil || p.master == nil || p.until.IsZero() {
		return nil
	}
	return []string{Describe(p.Expectation)}
}
