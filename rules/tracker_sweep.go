package rules

import (
	"errors"
	"time"

	"ftpalg/alg/expect"
)

// run withdraws ended promises and prolongs long ones, until quit is
// closed.
func (t *tracker) run() {
	defer close(t.done)
	tick := time.NewTicker(t.options.SweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-t.quit:
			return
		case <-tick.C:
			t.sweep()
		}
	}
}

// sweep goes on until nothing is left to do, a packet at a time, so that
// those who open need not wait long.
func (t *tracker) sweep() {
	for t.sweepSome() {
	}
}

func (t *tracker) sweepSome() (more bool) {
	t.wire.Lock()
	defer t.wire.Unlock()
	now := time.Now()
	for _, p := range t.expired(now) {
		t.options.Observe(Event{Kind: Expired, Family: familyOf(p.From), Pinhole: Pinhole{p, Closing}})
	}
	ended, brief := t.due(now)
	if len(ended)+len(brief) == 0 {
		return false
	}
	k := t.kernel.next()
	for _, p := range ended {
		removeExpectation(k, p.Expectation)
	}
	for _, p := range brief {
		p.shadow.refresh(k)
		limitExpectation(k, p.shadow, p.Expectation, min(p.Until.Sub(now), promiseLife))
	}
	_, err := t.kernel.do()
	t.withdrawn.add(len(ended), err)
	if err != nil {
		t.options.Observe(Event{Kind: SweepFailed, Err: ctError("withdraw expectations", "", err)})
		return false
	}
	t.swept(ended, brief, now)
	return true
}

// due returns as many promises as fit into a packet: those that are to be
// withdrawn, and those that the kernel would end too early.
func (t *tracker) due(now time.Time) (ended, brief []held) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.promises {
		if len(ended)+2*len(brief)+2 > packetLength {
			break
		}
		switch {
		case p.used || p.until.IsZero() || !p.withdrawn.IsZero():
		case p.ended(now):
			ended = append(ended, *p)
		case p.until.Before(p.Until) && p.until.Sub(now) < promiseLife/2:
			brief = append(brief, *p)
		}
	}
	return ended, brief
}

// swept notes what the kernel was asked to forget and to keep for longer.
func (t *tracker) swept(ended, brief []held, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range ended {
		if p := t.promises[e.ID]; p != nil {
			p.withdrawn = now
		}
	}
	for _, b := range brief {
		b.shadow.until = now.Add(shadowLife)
		if p := t.promises[b.ID]; p != nil {
			p.until = now.Add(min(p.Until.Sub(now), promiseLife))
		}
	}
}

// expired takes promises out of the book, and returns those that nobody had
// used or closed. A withdrawn one stays for a sweep, since its connection may
// have been quicker, and the word of it is on the way.
func (t *tracker) expired(now time.Time) []expect.Expectation {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []expect.Expectation
	clear(t.closing) // those that are left are withdrawn now
	for id, p := range t.promises {
		switch {
		case p.used && p.ended(now):
			delete(t.promises, id)
		case !p.withdrawn.IsZero() && now.Sub(p.withdrawn) >= t.options.SweepEvery/2:
			t.releaseLocked(p)
			delete(t.promises, id)
			if !p.closed {
				list = append(list, p.Expectation)
			}
		}
	}
	return list
}

// lost implements watched. It opens a promise again whose shadow somebody
// deleted.
func (t *tracker) lost(f flow) {
	t.wire.Lock()
	defer t.wire.Unlock()
	p := t.orphan(f.orig)
	if p == nil {
		return
	}
	err := t.promise(p, nil)
	if err != nil {
		t.forget(p)
	}
	switch {
	case err == nil:
		t.options.Observe(Event{Kind: Drift, Family: familyOf(p.From), Rules: []string{describeExpectation(p.Expectation)}})
	case !errors.Is(err, ErrEnded):
		t.options.Observe(Event{Kind: RepairFailed, Family: familyOf(p.From), Pinhole: Pinhole{p.Expectation, Closing}, Err: err})
	}
}

// again implements watched.
func (t *tracker) again(id expect.ID) bool {
	t.wire.Lock()
	defer t.wire.Unlock()
	p := t.unused(id)
	if p == nil {
		return false
	}
	err := t.promise(p, nil)
	if err != nil {
		t.forget(p)
	}
	return err == nil
}

// unused makes a used promise that has not ended a new one, nil if there is
// none.
func (t *tracker) unused(id expect.ID) *held {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.promises[id]
	if p == nil || !p.used || p.ended(time.Now()) || t.ways[wayOf(p.Expectation)] != nil {
		return nil
	}
	p.used, p.until = false, time.Time{}
	return p
}

// orphan returns the promise that stood under a shadow, and takes the shadow
// from it.
func (t *tracker) orphan(orig tuple) *held {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.promises {
		if p.shadow != nil && p.shadow.orig == orig {
			p.shadow, p.until = nil, time.Time{}
			delete(t.ways, wayOf(p.Expectation))
			return p
		}
	}
	return nil
}

// stop deletes every shadow, and the promises with them.
func (t *tracker) stop() error {
	close(t.quit)
	<-t.done
	t.wire.Lock()
	defer t.wire.Unlock()
	err := removeShadows(t.kernel, t.empty())
	return errors.Join(err, t.kernel.close())
}

// empty forgets everything and returns the shadows that there were.
func (t *tracker) empty() []tuple {
	t.mu.Lock()
	defer t.mu.Unlock()
	var shadows []tuple
	for _, p := range t.promises {
		if p.shadow != nil {
			shadows = append(shadows, p.shadow.orig)
		}
	}
	for _, idle := range t.idle {
		for _, s := range idle {
			shadows = append(shadows, s.orig)
		}
	}
	t.promises, t.ways, t.idle = map[expect.ID]*held{}, map[way]*held{}, map[addresses][]*shadow{}
	return shadows
}
