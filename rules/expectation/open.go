package expectation

import (
	"context"
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/report"
	"time"

	"golang.org/x/sys/unix"
)

// attempts bounds how often an open begins anew because something was not
// as we believed.
const attempts = 4

// Open implements the data path.
func (t *Tracker) Open(ctx context.Context, e expect.Expectation) error {
	if err := t.missingFor(e); err != nil {
		return err
	}
	p := &pinholeEntry{Expectation: e}
	if err := t.addPinhole(p); err != nil {
		return err
	}
	past := t.colliding(e)
	t.asking.Lock()
	defer t.asking.Unlock()
	err := ctx.Err()
	if err == nil {
		err = t.openInKernel(p, past)
	}
	t.opened.Count(1, err)
	if err != nil {
		t.forgetPinhole(p)
	}
	return err
}

// openInKernel tries until the kernel keeps a promise, or refuses it for a reason
// that is no mistake of ours: a master entry's number may be taken by one of a
// predecessor, or of another machine whose entries this one has taken over
// (conntrackd(8)), and an idle master entry may have fallen to a foreign flush.
func (t *Tracker) openInKernel(p *pinholeEntry, past []ctnetlink.Flow) error {
	for n := 1; ; n++ {
		now := time.Now()
		if !t.stillWanted(p, now) {
			return report.ErrEnded
		}
		o := opening{pinholeEntry: p, master: t.masterFor(addressesOf(p.Expectation), now), now: now, life: min(p.Until.Sub(now), Life)}
		refused, err := t.tryOpen(&o, past)
		if err == nil && refused == (ctnetlink.Refusal{}) {
			t.confirm(&o)
			return nil
		}
		t.abandon(&o)
		if err != nil {
			return ctnetlink.OpError("open", p.String(), err)
		}
		if n == attempts || !o.isStale(refused) {
			return ctnetlink.OpError(o.step(refused), p.String(), refused.Errno)
		}
		if refused.Message == o.created {
			t.jump()
		}
	}
}

// opening is one attempt to have the kernel keep a promise.
type opening struct {
	*pinholeEntry
	master *masterEntry
	now    time.Time
	life   time.Duration

	// The messages, by number; 0 for one that was not needed.
	created, prolonged, expected, limited uint32
}

// tryOpen sends one packet: what is in the way goes, the master entry is made or
// prolonged, the expectation is made and limited. It returns the first
// refusal that matters. What goes may have gone before.
func (t *Tracker) tryOpen(o *opening, past []ctnetlink.Flow) (ctnetlink.Refusal, error) {
	rival := t.claimKey(o)
	k := t.kernel.Next()
	for _, c := range past {
		ctnetlink.DeleteFlow(k, c.Orig, c.ID)
	}
	if rival != nil {
		withdrawMessage(k, rival.Expectation)
	}
	switch {
	case o.master.until.IsZero():
		o.created = o.master.createMessage(k, t.options.Mark)
	case o.master.until.Before(o.now.Add(o.life + time.Second)):
		o.prolonged = o.master.prolongMessage(k)
	}
	o.expected = createMessage(k, o.master, o.Expectation)
	o.limited = limitMessage(k, o.master, o.Expectation, o.life)
	refusals, err := t.kernel.Execute()
	if rival != nil {
		t.forgetPinhole(rival)
	}
	for _, r := range refusals {
		if o.step(r) != "" {
			return r, err
		}
	}
	return ctnetlink.Refusal{}, err
}

// step says in words which step was refused, "" if it does not matter.
func (o *opening) step(r ctnetlink.Refusal) string {
	switch r.Message {
	case o.created:
		return "create master entry"
	case o.prolonged:
		return "prolong master entry"
	case o.expected:
		return "expect"
	case o.limited:
		return "limit expectation"
	default:
		return ""
	}
}

// isStale reports whether a refusal says that a belief of ours was wrong.
func (o *opening) isStale(r ctnetlink.Refusal) bool {
	if r.Message == o.created {
		return r.Errno == unix.EEXIST
	}
	return o.created == 0 && r.Errno == unix.ENOENT
}

// claimKey gives a promise its master entry and its key, for the connection
// may come before the kernel's answer does, and returns the promise that had the
// key before.
func (t *Tracker) claimKey(o *opening) (rival *pinholeEntry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := o.Key()
	rival = t.byKey[key]
	t.byKey[key], o.pinholeEntry.master = o.pinholeEntry, o.master
	return rival
}

// confirm notes that the kernel keeps a promise.
func (t *Tracker) confirm(o *opening) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o.until = o.now.Add(o.life)
	if o.created != 0 || o.prolonged != 0 {
		o.master.until = o.now.Add(masterLife)
	}
}

// abandon takes master entry and key back, and deletes the master entry with
// whatever hangs on it.
func (t *Tracker) abandon(o *opening) {
	t.mu.Lock()
	o.pinholeEntry.master = nil
	if key := o.Key(); t.byKey[key] == o.pinholeEntry {
		delete(t.byKey, key)
	}
	t.mu.Unlock()
	o.master.deleteMessage(t.kernel.Next())
	t.kernel.Execute() // it may not be there
}
