package rules

import (
	"fmt"
	"sync"
	"time"

	"ftpalg/alg/expect"
)

// ctkernel is what a tracker asks of the kernel: one packet at a time.
type ctkernel interface {
	// next returns the packet that is to be filled, empty.
	next() *packet
	// do has the kernel carry it out, and returns what it refused.
	do() ([]refusal, error)
	close() error
}

// tracker keeps promises as conntrack expectations. What one costs does not
// depend on how many there are.
type tracker struct {
	options Options
	// past returns the ended connections that a promised one could collide
	// with.
	past func(expect.Expectation) []connection
	// lacks returns what this machine lacks for a promise, nil if nothing.
	lacks func(expect.Expectation) error

	// wire is held while the kernel is asked. It is taken before mu.
	wire   sync.Mutex
	kernel ctkernel

	mu       sync.Mutex
	promises map[expect.ID]*held
	ways     map[way]*held // of those that the kernel keeps
	idle     map[addresses][]*shadow
	closing  map[addresses][]*held // closed, but perhaps in the kernel still
	number   uint16                // of the newest shadow

	withdrawn tally // promises that the kernel was asked to forget

	quit, done chan struct{}
}

// held is one promise. While the kernel keeps it, it has a shadow to
// itself.
type held struct {
	expect.Expectation
	shadow *shadow
	// until is when the kernel ends it; zero while it has not confirmed.
	until time.Time
	// withdrawn is when the kernel was asked to forget it.
	withdrawn    time.Time
	used, closed bool
}

func newTracker(o Options, k ctkernel) *tracker {
	return &tracker{
		options: o, kernel: k,
		past:     func(expect.Expectation) []connection { return nil },
		lacks:    func(expect.Expectation) error { return nil },
		promises: map[expect.ID]*held{}, ways: map[way]*held{}, idle: map[addresses][]*shadow{}, closing: map[addresses][]*held{},
		quit: make(chan struct{}), done: make(chan struct{}),
	}
}

func (p *held) ended(now time.Time) bool { return p.closed || !now.Before(p.Until) }

func (p *held) state() State {
	switch {
	case p.closed:
		return Closing
	case p.used:
		return Used
	case p.until.IsZero():
		return Opening
	default:
		return Open
	}
}

// wanted reports whether a promise has not ended yet.
func (t *tracker) wanted(p *held, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !p.ended(now)
}

// enter puts a promise into the book. Its ID must be new.
func (t *tracker) enter(p *held) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.promises[p.ID] != nil {
		return fmt.Errorf("rules: %w promise: number %d is taken: %s", ErrInvalid, p.ID, p.Expectation)
	}
	t.promises[p.ID] = p
	return nil
}

// close implements opener.
func (t *tracker) close(id expect.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.promises[id]
	if p == nil || p.closed {
		return
	}
	p.closed = true
	if p.used {
		delete(t.promises, id)
		return
	}
	a := addressesOf(p.Expectation)
	t.closing[a] = append(t.closing[a], p)
}

// use implements opener. The shadow is free for the next promise: the
// kernel forgot the expectation when the connection came.
func (t *tracker) use(w way) (expect.Expectation, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.ways[w]
	if p == nil {
		return expect.Expectation{}, false
	}
	p.used = true
	t.releaseLocked(p)
	if p.closed {
		delete(t.promises, p.ID)
	}
	return p.Expectation, true
}

// releaseLocked notes that the kernel keeps a promise no more.
func (t *tracker) releaseLocked(p *held) {
	if p.shadow != nil {
		t.idle[addressesOf(p.Expectation)] = append(t.idle[addressesOf(p.Expectation)], p.shadow)
		p.shadow = nil
	}
	if t.ways[wayOf(p.Expectation)] == p {
		delete(t.ways, wayOf(p.Expectation))
	}
}

// forget takes a promise out of the book.
func (t *tracker) forget(p *held) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.releaseLocked(p)
	delete(t.promises, p.ID)
}

// shadowFor returns the shadow of a closed promise, else an idle one, else a
// new one.
func (t *tracker) shadowFor(a addresses, now time.Time) *shadow {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.takeOverLocked(a, now); s != nil {
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
	return newShadow(a, t.number)
}

// takeOverLocked takes its shadow from a closed promise that waits to be
// withdrawn. The kernel withdraws it when the next one is made. If it has been
// used, the word of that may still be on the way.
func (t *tracker) takeOverLocked(a addresses, now time.Time) *shadow {
	for len(t.closing[a]) > 0 {
		last := len(t.closing[a]) - 1
		p := t.closing[a][last]
		t.closing[a] = t.closing[a][:last]
		s := p.shadow
		if s == nil || p.until.IsZero() || !p.withdrawn.IsZero() || !now.Before(s.until) {
			continue
		}
		p.shadow, p.withdrawn = nil, now
		t.withdrawn.add(1, nil)
		return s
	}
	return nil
}

// settled implements opener: an expectation is gone when it has been used.
func (t *tracker) settled(expect.ID) {}

// pinholes implements opener.
func (t *tracker) pinholes() []Pinhole {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []Pinhole
	for _, p := range t.promises {
		list = append(list, Pinhole{p.Expectation, p.state()})
	}
	return list
}

// rules implements opener. It returns the expectation much as `conntrack -L
// expect` shows it, but for the shadow, which stays a secret.
func (t *tracker) rules(id expect.ID) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.promises[id]
	if p == nil || p.shadow == nil || p.until.IsZero() {
		return nil
	}
	return []string{describeExpectation(p.Expectation)}
}
