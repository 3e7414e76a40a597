package expectation

import (
	"errors"
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"time"
)

// runSweeper withdraws ended promises and prolongs long ones, until quit is
// closed.
func (t *Tracker) runSweeper() {
	defer close(t.done)
	tick := time.NewTicker(t.options.SweepEvery)
	defer tick.Stop()
	for {
		select {
		case <-t.quit:
			return
		case <-tick.C:
			t.sweepAll()
		}
	}
}

// sweepAll goes on until nothing is left to do, a packet at a time, so that
// those who open need not wait long.
func (t *Tracker) sweepAll() {
	for t.sweepPacket() {
	}
}

func (t *Tracker) sweepPacket() (more bool) {
	t.asking.Lock()
	defer t.asking.Unlock()
	now := time.Now()
	for _, p := range t.collectExpired(now) {
		t.options.Observe(report.Event{Kind: report.Expired, Family: rule.FamilyOf(p.From), Pinhole: report.Pinhole{Expectation: p, State: report.Closing}})
	}
	ended, brief := t.collectDue(now)
	if len(ended)+len(brief) == 0 {
		return false
	}
	k := t.kernel.Next()
	for _, p := range ended {
		withdrawMessage(k, p.Expectation)
	}
	for _, p := range brief {
		p.master.prolongMessage(k)
		limitMessage(k, p.master, p.Expectation, min(p.Until.Sub(now), Life))
	}
	_, err := t.kernel.Execute()
	t.withdrawn.Count(len(ended), err)
	if err != nil {
		t.options.Observe(report.Event{Kind: report.SweepFailed, Err: ctnetlink.OpError("withdraw expectations", "", err)})
		return false
	}
	t.noteSwept(ended, brief, now)
	return true
}

// collectDue returns as many promises as fit into a packet: those that are to be
// withdrawn, and those that the kernel would end too early.
func (t *Tracker) collectDue(now time.Time) (ended, brief []pinholeEntry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.pinholesByID {
		if len(ended)+2*len(brief)+2 > ctnetlink.MostMessages {
			break
		}
		switch {
		case p.used || p.until.IsZero() || !p.withdrawn.IsZero():
		case p.ended(now):
			ended = append(ended, *p)
		case p.until.Before(p.Until) && p.until.Sub(now) < Life/2:
			brief = append(brief, *p)
		}
	}
	return ended, brief
}

// noteSwept notes what the kernel was asked to forget and to keep for longer.
func (t *Tracker) noteSwept(ended, brief []pinholeEntry, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range ended {
		if p := t.pinholesByID[e.ID]; p != nil {
			p.withdrawn = now
		}
	}
	for _, b := range brief {
		b.master.until = now.Add(masterLife)
		if p := t.pinholesByID[b.ID]; p != nil {
			p.until = now.Add(min(p.Until.Sub(now), Life))
		}
	}
}

// collectExpired takes promises out of the book, and returns those that nobody had
// used or closed. A withdrawn one stays for a sweep, since its connection may
// have been quicker, and its event is not read yet.
func (t *Tracker) collectExpired(now time.Time) []expect.Expectation {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []expect.Expectation
	clear(t.closing) // those that are left are withdrawn now
	for id, p := range t.pinholesByID {
		switch {
		case p.used && p.ended(now):
			t.releaseLocked(p)
			delete(t.pinholesByID, id)
		case !p.withdrawn.IsZero() && now.Sub(p.withdrawn) >= t.options.SweepEvery/2:
			t.releaseLocked(p)
			delete(t.pinholesByID, id)
			if !p.closed {
				list = append(list, p.Expectation)
			}
		}
	}
	return list
}

// IsMasterEntry implements the data path.
func (t *Tracker) IsMasterEntry(f ctnetlink.Flow) bool { return IsMasterEntry(f, t.options.Mark) }

// MasterDeleted implements the data path. It opens a promise again whose master
// entry somebody
// deleted.
func (t *Tracker) MasterDeleted(f ctnetlink.Flow) {
	t.asking.Lock()
	defer t.asking.Unlock()
	p := t.takeByMaster(f.Orig)
	if p == nil {
		return
	}
	err := t.openInKernel(p, nil)
	if err != nil {
		t.forgetPinhole(p)
	}
	switch {
	case err == nil:
		t.options.Observe(report.Event{Kind: report.Drift, Family: rule.FamilyOf(p.From), Rules: []string{Describe(p.Expectation)}})
	case !errors.Is(err, report.ErrEnded):
		t.options.Observe(report.Event{Kind: report.RepairFailed, Family: rule.FamilyOf(p.From), Pinhole: report.Pinhole{Expectation: p.Expectation, State: report.Closing}, Err: err})
	}
}

// Reopen implements the data path.
func (t *Tracker) Reopen(id expect.ID) bool {
	t.asking.Lock()
	defer t.asking.Unlock()
	p := t.makeUnused(id)
	if p == nil {
		return false
	}
	err := t.openInKernel(p, nil)
	if err != nil {
		t.forgetPinhole(p)
	}
	return err == nil
}

// makeUnused makes a used promise that has not ended a new one, nil if there is
// none.
func (t *Tracker) makeUnused(id expect.ID) *pinholeEntry {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.pinholesByID[id]
	if p == nil || !p.used || p.ended(time.Now()) || t.byKey[p.Key()] != nil {
		return nil
	}
	p.used, p.until = false, time.Time{}
	return p
}

// takeByMaster returns the promise that stood under a master entry, and takes the master entry
// from it.
func (t *Tracker) takeByMaster(orig ctnetlink.Tuple) *pinholeEntry {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.pinholesByID {
		if p.master != nil && p.master.orig == orig {
			p.master, p.until = nil, time.Time{}
			delete(t.byKey, p.Key())
			return p
		}
	}
	return nil
}

// Start begins to sweep. Before a promise is opened, colliding returns the
// ended connections that it could collide with, and missingFor what this
// machine lacks for it.
func (t *Tracker) Start(colliding func(expect.Expectation) []ctnetlink.Flow, missingFor func(expect.Expectation) error) {
	t.colliding, t.missingFor = colliding, missingFor
	go t.runSweeper()
}

// Stop deletes every master entry, and the promises with them.
func (t *Tracker) Stop() error {
	t.halt()
	t.asking.Lock()
	defer t.asking.Unlock()
	err := deleteMasters(t.kernel, t.forgetAll())
	return errors.Join(err, t.kernel.Close())
}

// Leave ends the tracker and leaves everything in the kernel, for a successor.
func (t *Tracker) Leave() error {
	t.halt()
	t.asking.Lock()
	defer t.asking.Unlock()
	return t.kernel.Close()
}

func (t *Tracker) halt() {
	close(t.quit)
	<-t.done
}

// Opened and closedTally tell how attempts ended.
func (t *Tracker) Opened() report.Tally { return t.opened.Read() }
func (t *Tracker) Closed() report.Tally { return t.withdrawn.Read() }

// forgetAll forgets everything and returns the master entries that there were.
func (t *Tracker) forgetAll() []ctnetlink.Tuple {
	t.mu.Lock()
	defer t.mu.Unlock()
	var masters []ctnetlink.Tuple
	for _, p := range t.pinholesByID {
		if p.master != nil {
			masters = append(masters, p.master.orig)
		}
	}
	for _, idle := range t.idle {
		for _, s := range idle {
			masters = append(masters, s.orig)
		}
	}
	t.pinholesByID, t.byKey, t.idle = map[expect.ID]*pinholeEntry{}, map[expect.Key]*pinholeEntry{}, map[addresses][]*masterEntry{}
	return masters
}
