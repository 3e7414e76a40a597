package alg

import (
	"slices"
	"sync"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
)

// dataConnection is a DataConnection as it goes on. The ledger's mu guards
// it.
type dataConnection struct {
	DataConnection
	session *sessionData
	// ended says that the promise has ended, gone that the kernel has told
	// the connection's end.
	ended, gone bool
	waiting     *Transfer // for the kernel's count
	timeout     *time.Timer
}

// keptData is how many data connections of a session are remembered.
const keptData = 8

// sessionData are the latest data connections of a session, oldest first, and
// what all of them have carried. The ledger's mu guards it.
type sessionData struct {
	latest []*dataConnection
	total  Traffic
	// waiting counts the transfers that wait for the kernel's count; then is
	// called when none does any more.
	waiting int
	then    func()
}

// dataLedger joins what sessions promise with what the kernel tells of it,
// which may come later than the session's end.
type dataLedger struct {
	observer *Observer

	mu    sync.Mutex
	all   map[expect.ID]*dataConnection
	total Traffic // of all there were
}

func newDataLedger(o *Observer) *dataLedger {
	return &dataLedger{observer: o, all: make(map[expect.ID]*dataConnection)}
}

// add enters what was promised.
func (l *dataLedger) add(of *sessionData, e expect.Expectation) {
	d := &dataConnection{session: of, DataConnection: DataConnection{
		Pinhole: e.ID, Mode: e.Mode, From: e.From, To: e.To, Target: e.Target, Seen: e.Seen,
		Promised: time.Now(), State: DataPromised,
	}}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[e.ID] = d
	if len(of.latest) == keptData {
		of.latest = slices.Delete(of.latest, 0, 1)
	}
	of.latest = append(of.latest, d)
}

// carries says which transfer a data connection is used for, and returns its
// mode.
func (l *dataLedger) carries(id expect.ID, t *dialogue.Transfer) expect.Mode {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.all[id]
	if d == nil {
		return 0
	}
	d.Command, d.File = string(t.Verb), t.Name
	return d.Mode
}

// end notes the end of a promise, and tells the observer. One whose
// connection has come was used, however it ends.
func (l *dataLedger) end(e expect.Expectation, how End) {
	l.mu.Lock()
	if d := l.all[e.ID]; d != nil {
		how = l.endLocked(d, how)
	}
	l.mu.Unlock()
	l.observer.PromiseEnded(PromiseEnd{Session: e.Session, Pinhole: e.ID, Mode: e.Mode, End: how})
}

func (l *dataLedger) endLocked(d *dataConnection, how End) End {
	d.ended = true
	switch {
	case d.State != DataPromised:
		how = EndUsed
	case how == EndUsed:
		d.State = DataClosed
		l.forgetLater(d) // the kernel's word of it may be on the way
	case how == EndExpired:
		d.State = DataExpired
	default:
		d.State = DataWithdrawn
	}
	l.forgetLocked(d)
	return how
}

// forgetLater gives the kernel time to tell more of d. The caller holds mu.
func (l *dataLedger) forgetLater(d *dataConnection) {
	if d.timeout == nil {
		d.timeout = time.AfterFunc(countTimeout, func() { l.giveUp(d) })
	}
}

// giveUp waits no longer for the kernel's count.
func (l *dataLedger) giveUp(d *dataConnection) {
	l.mu.Lock()
	t := d.takeWaiting()
	if d.State != DataConnected {
		d.gone = true
	}
	l.forgetLocked(d)
	l.mu.Unlock()
	l.tell(d.session, t)
}

// forgetLocked drops what nobody will speak of any more.
func (l *dataLedger) forgetLocked(d *dataConnection) {
	if d.ended && d.waiting == nil && (d.gone || d.State == DataExpired || d.State == DataWithdrawn) {
		delete(l.all, d.Pinhole)
	}
}

// takeWaiting returns the transfer that waits for d's count, with it.
func (d *dataConnection) takeWaiting() *Transfer {
	t := d.waiting
	if t != nil {
		t.Traffic = d.Traffic
		d.waiting = nil
	}
	return t
}

// connected notes that a data connection has come.
func (l *dataLedger) connected(id expect.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := l.all[id]; d != nil && !d.gone {
		d.State = DataConnected
	}
}

// reopened notes that it did not come about, and another may come. If that
// was promised no longer, it is the end.
func (l *dataLedger) reopened(id expect.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.all[id]
	if d == nil || d.gone {
		return
	}
	d.State, d.Traffic = DataPromised, Traffic{}
	if d.ended {
		d.State = DataWithdrawn
		l.forgetLocked(d)
	}
}

// disconnected notes the end of a data connection, and reports the transfer
// that waits for it.
func (l *dataLedger) disconnected(id expect.ID, sent, received uint64, counted bool) {
	l.mu.Lock()
	d := l.all[id]
	if d == nil || d.gone {
		l.mu.Unlock()
		return
	}
	d.gone, d.State = true, DataClosed
	if counted {
		l.count(d, sent, received)
	}
	t := d.takeWaiting()
	if d.timeout != nil {
		d.timeout.Stop()
	}
	l.forgetLocked(d)
	l.mu.Unlock()
	l.tell(d.session, t)
}

// carried notes what a data connection has carried so far.
func (l *dataLedger) carried(id expect.ID, sent, received uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if d := l.all[id]; d != nil && !d.gone {
		l.count(d, sent, received)
	}
}

// count enters what the host that connected has sent and received. The
// caller holds mu.
func (l *dataLedger) count(d *dataConnection, sent, received uint64) {
	now := Traffic{FromClient: sent, FromServer: received, Counted: true}
	if !d.Mode.Passive() {
		now.FromClient, now.FromServer = received, sent
	}
	l.total.grow(d.Traffic, now)
	d.session.total.grow(d.Traffic, now)
	d.Traffic = now
}

// report tells the observer of a transfer, at once or when the kernel has
// counted it.
func (l *dataLedger) report(t Transfer) {
	l.mu.Lock()
	d := l.all[t.Pinhole]
	if d != nil && !d.gone && d.waiting == nil {
		d.waiting = &t
		d.session.waiting++
		l.forgetLater(d)
		l.mu.Unlock()
		return
	}
	if d != nil {
		t.Traffic = d.Traffic
	}
	l.mu.Unlock()
	l.observer.TransferEnded(t)
}

// tell tells the observer of a transfer that has waited, nil for none, and
// goes on with what waited for the last one of its session.
func (l *dataLedger) tell(of *sessionData, t *Transfer) {
	if t == nil {
		return
	}
	l.observer.TransferEnded(*t)
	l.mu.Lock()
	of.waiting--
	var then func()
	if of.waiting == 0 {
		then, of.then = of.then, nil
	}
	l.mu.Unlock()
	if then != nil {
		then()
	}
}

// counted calls then when what a session has carried is known: at once or
// when the last transfer of it no longer waits for the kernel's count.
func (l *dataLedger) counted(of *sessionData, then func()) {
	l.mu.Lock()
	if of.waiting > 0 {
		of.then = then
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	then()
}

// flush reports the transfers that wait: the gateway ends.
func (l *dataLedger) flush() {
	type late struct {
		of *sessionData
		t  *Transfer
	}
	var all []late
	l.mu.Lock()
	for _, d := range l.all {
		all = append(all, late{d.session, d.takeWaiting()})
	}
	l.mu.Unlock()
	for _, one := range all {
		l.tell(one.of, one.t)
	}
}

// of returns the data connection of a promise, if anybody may yet speak of
// it.
func (l *dataLedger) of(id expect.ID) (DataConnection, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.all[id]
	if d == nil {
		return DataConnection{}, false
	}
	return d.DataConnection, true
}

// list returns copies of a session's data connections, oldest first.
func (l *dataLedger) list(of *sessionData) []DataConnection {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]DataConnection, len(of.latest))
	for i, d := range of.latest {
		out[i] = d.DataConnection
	}
	return out
}

// sum returns a total, be it a session's or all there was.
func (l *dataLedger) sum(t *Traffic) Traffic {
	l.mu.Lock()
	defer l.mu.Unlock()
	return *t
}
