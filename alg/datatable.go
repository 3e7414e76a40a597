package alg

import (
	"context"
	"net/netip"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
)

// dataTable holds every data connection of a gateway. It joins what sessions
// announce with what the kernel tells, which may come later than the session's
// end.
type dataTable struct {
	kernel   Kernel
	observer *Observer
	pool     *nat.Pool
	// readLowWater sets how much of a connection's stream must have come before it
	// is read; nil where nobody can.
	readLowWater func(Conn, int) error

	mu     sync.Mutex
	lastID expect.ID
	conns  map[expect.ID]*dataConn
	shares shares  // of the pool's ports
	total  Traffic // of all there were
	relays sync.WaitGroup
	// truncated counts data connections under TLS that were cut short.
	truncated atomic.Uint64
}

// newDataTable returns an empty table. Its numbers begin at 1, or after those
// of a predecessor by restore.
func newDataTable(k Kernel, o *Observer) *dataTable {
	return &dataTable{kernel: k, observer: o, pool: nat.NewPool(portRest), conns: make(map[expect.ID]*dataConn), shares: make(shares)}
}

// offer translates an announcement and leases a port for it. It returns the
// data connection and the host-port that the other side is to be told. The
// error is nat.ErrUnresolved, nat.ErrExhausted or errShare.
func (t *dataTable) offer(e Endpoints, a *dialogue.Announcement, s *Settings) (*dataConn, netip.AddrPort, error) {
	tr, err := Translate(e, a, s)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	d := &dataConn{announcement: a.Number, host: clientHost(e.Client.Addr()), state: DataOffered}
	if tr.Leased {
		if d.leased, err = t.lease(d.host, tr, s.PromisesPerClient); err != nil {
			return nil, netip.AddrPort{}, err
		}
	}
	d.Expectation = tr.Expectation(d.leased)
	d.ID = t.newID()
	return d, tr.Text(d.leased), nil
}

// lease takes a port for a client, of which it may hold so many.
func (t *dataTable) lease(host netip.Addr, tr Translation, most int) (port uint16, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.shares.take(host, most); err != nil {
		return 0, err
	}
	if port, err = t.pool.Take(tr.Ports, tr.View.Usable); err != nil {
		t.shares.give(host)
	}
	return port, err
}

func (t *dataTable) newID() expect.ID {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lastID++
	return t.lastID
}

// open has the kernel admit d until d.Until. When it returns nil the kernel
// has confirmed, and d is in the table; otherwise the port is free again.
func (t *dataTable) open(ctx context.Context, d *dataConn) error {
	if err := t.admit(ctx, d); err != nil {
		t.releasePort(d)
		t.observer.PinholeEnded(PinholeEnd{Session: d.Session, Pinhole: d.ID, Mode: d.Mode, End: EndFailed})
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	d.state, d.opened = DataOpen, time.Now()
	t.insert(d)
	if d.relay != nil {
		d.awaits = true
		t.relays.Go(d.relay.run)
	}
	return nil
}

// admit has the kernel admit the promised host: to the target, or to this
// process where d is relayed.
func (t *dataTable) admit(ctx context.Context, d *dataConn) (err error) {
	switch {
	case d.relay == nil:
		return t.kernel.Open(ctx, d.Expectation)
	case d.server == nil:
		d.relay.port, err = t.kernel.Relay(ctx, d.Expectation)
		return err
	case d.server.Mode.Passive():
		d.relay.port = newDialedPort(t, d)
		return nil
	}
	return t.admitBoth(ctx, d)
}

// insert enters d and starts its timer. The caller holds mu.
func (t *dataTable) insert(d *dataConn) {
	of := d.session
	if len(of.latest) == keptData {
		of.latest = slices.Delete(of.latest, 0, 1)
	}
	of.latest = append(of.latest, d)
	t.conns[d.ID] = d
	t.schedule(d)
}

// schedule sets d's timer anew, and removes d from the table when neither
// its session nor the kernel will tell more of it. The caller holds mu.
func (t *dataTable) schedule(d *dataConn) {
	if d.released && d.final && d.transfer == nil {
		delete(t.conns, d.ID)
		d.stopTimer()
		return
	}
	at := d.nextTimeout()
	switch {
	case at.IsZero():
		d.stopTimer()
	case d.timer == nil:
		d.timer = time.AfterFunc(time.Until(at), func() { t.timeout(d) })
	default:
		d.timer.Reset(time.Until(at))
	}
}

func (d *dataConn) stopTimer() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

// timeout does what is due for d. A pinhole that was not used ends. If a
// transfer of its session runs, the kernel withdraws it, but its port stays
// taken while the connection that came in time goes on.
func (t *dataTable) timeout(d *dataConn) {
	t.mu.Lock()
	now := time.Now()
	expired := !d.withdrawn && !now.Before(d.Until)
	if expired && (d.released || d.session.transferring()) {
		t.withdraw(d)
		expired = false
	}
	var transfer *Transfer
	if !d.countBy.IsZero() && !now.Before(d.countBy) {
		d.countBy = time.Time{}
		transfer = d.takeTransfer()
		d.final = d.final || d.state != DataConnected
		if d.final && d.released {
			t.withdraw(d)
		}
	}
	if !expired {
		t.schedule(d)
	}
	t.mu.Unlock()
	if expired {
		t.release(d, EndExpired)
	}
	t.reportTransfer(d.session, transfer)
}

// withdraw has the kernel stop admitting connections for d. The caller holds mu.
func (t *dataTable) withdraw(d *dataConn) {
	if d.withdrawn {
		return
	}
	d.withdrawn = true
	if d.relay != nil {
		d.relay.port.Close() // it withdraws itself when it has no use for it
		return
	}
	t.kernel.Close(d.ID)
}

// release ends d's pinhole for its session, frees its port and tells the
// observer. Releasing it twice has no effect.
func (t *dataTable) release(d *dataConn, how End) {
	t.mu.Lock()
	if d.released {
		t.mu.Unlock()
		return
	}
	if !d.mayYetCome(how) {
		t.withdraw(d)
	}
	givenUp, awaits := how != EndUsed, d.awaits
	how = d.release(how)
	t.schedule(d)
	t.mu.Unlock()
	if givenUp && d.relay != nil {
		d.relay.giveUp()
	}
	if !awaits {
		t.releasePort(d)
	}
	t.observer.PinholeEnded(PinholeEnd{Session: d.Session, Pinhole: d.ID, Mode: d.Mode, End: how})
}

// awaitsNobody notes that a relay waits for nobody any more, so that its port is free
// once its session has released it.
func (t *dataTable) awaitsNobody(d *dataConn) {
	t.mu.Lock()
	d.awaits = false
	released := d.released
	t.mu.Unlock()
	if released {
		t.releasePort(d)
	}
}

func (t *dataTable) releasePort(d *dataConn) {
	t.giveBack(d.host, d.leased)
	if d.server != nil {
		t.giveBack(d.host, d.server.leased)
	}
}

// giveBack frees a port that was leased; 0 is none.
func (t *dataTable) giveBack(host netip.Addr, port uint16) {
	if port == 0 {
		return
	}
	t.pool.Release(port)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shares.give(host)
}

// startTransfer notes which transfer d is used for.
func (t *dataTable) startTransfer(d *dataConn, of *dialogue.Transfer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d.command, d.file = string(of.Verb), of.Name
}

// endTransfer tells the observer of a transfer over d, at once or when the
// kernel has counted it. Without a data connection d is nil.
func (t *dataTable) endTransfer(d *dataConn, ended Transfer) {
	if d == nil {
		t.observer.TransferEnded(ended)
		return
	}
	t.mu.Lock()
	if !d.final && d.transfer == nil {
		d.transfer = &ended
		d.session.uncounted++
		if d.relay == nil || d.state != DataConnected {
			d.awaitCount()
		} // else its end will tell
		t.schedule(d)
		t.mu.Unlock()
		return
	}
	ended.measure(d)
	t.mu.Unlock()
	t.observer.TransferEnded(ended)
}

// reportTransfer tells the observer of a transfer that has waited, nil for
// none, and goes on with what waited for the last one of its session.
func (t *dataTable) reportTransfer(of *sessionData, ended *Transfer) {
	if ended == nil {
		return
	}
	t.observer.TransferEnded(*ended)
	t.mu.Lock()
	of.uncounted--
	var then func()
	if of.uncounted == 0 {
		then, of.whenCounted = of.whenCounted, nil
	}
	t.mu.Unlock()
	if then != nil {
		then()
	}
}

// whenCounted calls then when what a session has carried is known: at once or
// when its last transfer no longer waits for the kernel's count.
func (t *dataTable) whenCounted(of *sessionData, then func()) {
	t.mu.Lock()
	if of.uncounted > 0 {
		of.whenCounted = then
		t.mu.Unlock()
		return
	}
	t.mu.Unlock()
	then()
}

// reportAll reports the transfers that wait: the gateway ends.
func (t *dataTable) reportAll() {
	type waiting struct {
		of    *sessionData
		ended *Transfer
	}
	var all []waiting
	t.mu.Lock()
	for _, d := range t.conns {
		all = append(all, waiting{d.session, d.takeTransfer()})
	}
	t.mu.Unlock()
	for _, w := range all {
		t.reportTransfer(w.of, w.ended)
	}
}

// carried returns what d has carried so far, and its state.
func (t *dataTable) carried(d *dataConn) (Traffic, DataState) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return d.traffic, d.state
}

// pinholes returns what the kernel admits, oldest first.
func (t *dataTable) pinholes() []expect.Expectation {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]expect.Expectation, 0, len(t.conns))
	for _, d := range t.conns {
		if !d.withdrawn && !d.released && !d.isDialed() {
			out = append(out, d.Expectation)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

// find describes the data connection of a pinhole that is in the table.
func (t *dataTable) find(id expect.ID) (DataConnection, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.conns[id]
	if d == nil {
		return DataConnection{}, false
	}
	return d.describe(), true
}

// latest describes a session's latest data connections, oldest first.
func (t *dataTable) latest(of *sessionData) []DataConnection {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]DataConnection, len(of.latest))
	for i, d := range of.latest {
		out[i] = d.describe()
	}
	return out
}

// sum returns a copy of the total of a session or of the table.
func (t *dataTable) sum(total *Traffic) Traffic {
	t.mu.Lock()
	defer t.mu.Unlock()
	return *total
}
