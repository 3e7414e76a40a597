package rules

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/alg/expect"
)

// attempts bounds how often an open begins anew because something was not
// as we believed.
const attempts = 4

// open implements opener.
func (t *tracker) open(ctx context.Context, e expect.Expectation) error {
	if err := t.lacks(e); err != nil {
		return err
	}
	p := &held{Expectation: e}
	if err := t.enter(p); err != nil {
		return err
	}
	past := t.past(e)
	t.wire.Lock()
	defer t.wire.Unlock()
	err := ctx.Err()
	if err == nil {
		err = t.promise(p, past)
	}
	if err != nil {
		t.forget(p)
	}
	return err
}

// promise tries until the kernel keeps a promise, or refuses it for a reason
// that is no mistake of ours: a shadow's number may be taken by one of a
// predecessor, and an idle shadow may have fallen to a foreign flush.
func (t *tracker) promise(p *held, past []connection) error {
	for n := 1; ; n++ {
		now := time.Now()
		if !t.wanted(p, now) {
			return ErrEnded
		}
		o := opening{held: p, shadow: t.shadowFor(addressesOf(p.Expectation), now), now: now, life: min(p.Until.Sub(now), promiseLife)}
		refused, err := t.attempt(&o, past)
		if err == nil && refused == (refusal{}) {
			t.kept(&o)
			return nil
		}
		t.failed(&o)
		if err != nil {
			return ctError("open", p.String(), err)
		}
		if n == attempts || !o.mistaken(refused) {
			return ctError(o.step(refused), p.String(), refused.errno)
		}
	}
}

// opening is one attempt to have the kernel keep a promise.
type opening struct {
	*held
	shadow *shadow
	now    time.Time
	life   time.Duration

	// The messages, by number; 0 for one that was not needed.
	created, prolonged, expected, limited uint32
}

// attempt sends one packet: what is in the way goes, the shadow is made or
// prolonged, the expectation is made and limited. It returns the first
// refusal that matters. What goes may have gone before.
func (t *tracker) attempt(o *opening, past []connection) (refusal, error) {
	rival := t.begin(o)
	k := t.kernel.next()
	for _, c := range past {
		removeFlow(k, c.orig, c.id)
	}
	if rival != nil {
		removeExpectation(k, rival.Expectation)
	}
	switch {
	case o.shadow.until.IsZero():
		o.created = o.shadow.create(k, t.options.ExpectationMark)
	case o.shadow.until.Before(o.now.Add(o.life + time.Second)):
		o.prolonged = o.shadow.refresh(k)
	}
	o.expected = createExpectation(k, o.shadow, o.Expectation)
	o.limited = limitExpectation(k, o.shadow, o.Expectation, o.life)
	refusals, err := t.kernel.do()
	if rival != nil {
		t.forget(rival)
	}
	for _, r := range refusals {
		if o.step(r) != "" {
			return r, err
		}
	}
	return refusal{}, err
}

// step says in words which step was refused, "" if it does not matter.
func (o *opening) step(r refusal) string {
	switch r.message {
	case o.created:
		return "create shadow"
	case o.prolonged:
		return "prolong shadow"
	case o.expected:
		return "expect"
	case o.limited:
		return "limit expectation"
	default:
		return ""
	}
}

// mistaken reports whether a refusal says that a belief of ours was wrong.
func (o *opening) mistaken(r refusal) bool {
	if r.message == o.created {
		return r.errno == unix.EEXIST
	}
	return o.created == 0 && r.errno == unix.ENOENT
}

// begin gives a promise its shadow and its way, for the connection may come
// before the kernel's answer does, and returns the promise that had the way
// before.
func (t *tracker) begin(o *opening) (rival *held) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := wayOf(o.Expectation)
	rival = t.ways[w]
	t.ways[w], o.held.shadow = o.held, o.shadow
	return rival
}

// kept notes that the kernel keeps a promise.
func (t *tracker) kept(o *opening) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o.until = o.now.Add(o.life)
	if o.created != 0 || o.prolonged != 0 {
		o.shadow.until = o.now.Add(shadowLife)
	}
}

// failed takes shadow and way back, and deletes the shadow with whatever
// hangs on it.
func (t *tracker) failed(o *opening) {
	t.mu.Lock()
	o.held.shadow = nil
	if w := wayOf(o.Expectation); t.ways[w] == o.held {
		delete(t.ways, w)
	}
	t.mu.Unlock()
	o.shadow.remove(t.kernel.next())
	t.kernel.do() // it may not be there
}
