package follow

import (
	"errors"
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// pollEvery is how often live data connections are looked up, to learn their
// end. The kernel's own word of it comes two minutes late, when the entry
// goes.
const pollEvery = 500 * time.Millisecond

// Options are a watcher's settings; see rules.Options.
type Options struct {
	// Mark is a bit that all the connections have, 0 where they need not.
	Mark        uint32
	EventBuffer int
	Connections func(report.Event)
}

// Path is the path that opened the pinholes of the connections that a
// watcher sees.
type Path interface {
	// MarkConnected marks the promise with a key as used, and returns it.
	MarkConnected(expect.Key) (expect.Expectation, bool)
	// MarkEstablished says that a promise's connection is established.
	MarkEstablished(expect.ID)
	// Reopen admits another attempt, after one that did not come about, and
	// reports whether it did.
	Reopen(expect.ID) bool
	// IsMasterEntry reports whether an entry is no connection, but one that
	// expectations of ours hang on.
	IsMasterEntry(ctnetlink.Flow) bool
	// MasterDeleted says that such an entry is gone.
	MasterDeleted(ctnetlink.Flow)
}

// Watcher follows data connections from their first packet to their end.
type Watcher struct {
	options     Options
	path        Path
	connections *connections

	reading sync.Mutex // held while events are read
	events  *ctnetlink.Subscription

	asking sync.Mutex // held while the kernel is asked
	kernel *ctnetlink.Socket
	// dump returns the entries of the kernel's table that have a bit of a mark.
	dump func(mark uint32) ([]ctnetlink.Flow, error)

	delivering sync.Mutex // held while others are told
	mu         sync.Mutex
	queued     []report.Event // that others are to be told

	quit chan struct{}
	done sync.WaitGroup
}

// New subscribes to events. What the kernel holds already is entered,
// so that it is known when it gets in a new promise's way.
func New(o Options, p Path) (*Watcher, error) {
	events, err := ctnetlink.Subscribe(o.Mark, o.EventBuffer)
	if err != nil {
		return nil, err
	}
	kernel, err := ctnetlink.Dial()
	if err != nil {
		return nil, errors.Join(err, events.Close())
	}
	n := &Watcher{
		options: o, path: p, connections: newConnections(),
		events: events, kernel: kernel, dump: ctnetlink.Dump, quit: make(chan struct{}),
	}
	return n, nil
}

// Start begins to follow. It is called once.
func (w *Watcher) Start() {
	w.resync()
	w.done.Go(w.readEvents)
	w.done.Go(w.pollLoop)
}

func (w *Watcher) Stop() error {
	close(w.quit)
	err := w.events.End()
	w.done.Wait()
	w.reading.Lock()
	defer w.reading.Unlock()
	w.asking.Lock()
	defer w.asking.Unlock()
	return errors.Join(err, w.events.Close(), w.kernel.Close())
}

// eventPause is for how long events gather before they are read: together they
// cost little more than one alone.
const eventPause = 5 * time.Millisecond

// readEvents reads events until the subscription ends.
func (w *Watcher) readEvents() {
	for w.events.Wait() {
		w.readPending()
		w.deliverEvents()
		time.Sleep(eventPause)
	}
}

// readPending reads the events that have come. Whatever goes wrong, most likely that
// the kernel had no room for more (ENOBUFS), something was lost. The kernel
// goes on to drop events, and says so no more, until everything that it has
// queued was read (NETLINK_S_CONGESTED in net/netlink/af_netlink.c): only then
// a look at the table shows all that was missed.
func (w *Watcher) readPending() {
	w.reading.Lock()
	defer w.reading.Unlock()
	lost := false
	for {
		n, err := w.events.Next(w.onEvent)
		lost = lost || err != nil && err != unix.EAGAIN
		if n < ctnetlink.MostAtOnce && err != unix.ENOBUFS {
			break
		}
	}
	if lost {
		w.queueEvent(report.Event{Kind: report.EventsLost, Err: w.resync()})
	}
}

// queueEvent notes what others are to be told. Whoever opens a promise reports and
// does not tell, for he may hold what the told would wait for.
func (w *Watcher) queueEvent(e report.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queued = append(w.queued, e)
}

// deliverEvents tells others what was reported, in that order.
func (w *Watcher) deliverEvents() {
	w.delivering.Lock()
	defer w.delivering.Unlock()
	w.mu.Lock()
	news := w.queued
	w.queued = nil
	w.mu.Unlock()
	for _, e := range news {
		w.options.Connections(e)
	}
}

func (w *Watcher) onEvent(kind uint16, f ctnetlink.Flow) {
	switch {
	case w.path.IsMasterEntry(f):
		if kind == ctnetlink.FlowDelete {
			w.path.MasterDeleted(f)
		}
	case kind == ctnetlink.FlowNew:
		w.onNew(f)
	case kind == ctnetlink.FlowDelete:
		w.onDelete(f)
	}
}

// onNew enters a connection if it was promised, be it in a time that is not
// remembered any more.
func (w *Watcher) onNew(f ctnetlink.Flow) {
	e, ok := w.path.MarkConnected(expect.Key{From: f.Orig.Src.Addr(), Reached: f.Orig.Dst})
	if !ok && (w.options.Mark == 0 || !f.Expected) {
		return
	}
	w.connections.addConnection(f, e, ok, time.Now())
	if !ok {
		return
	}
	w.queueEvent(report.Event{Kind: report.Connected, Family: rule.FamilyOf(e.From), Pinhole: report.Pinhole{Expectation: e, State: report.Used}})
}

func (w *Watcher) onDelete(f ctnetlink.Flow) {
	if c, news := w.connections.removeConnection(f, time.Now()); news {
		w.onEnd(c)
	}
}

// onEnd tells of a connection's end. One that never came about does not
// count: a server that still remembers an earlier connection from the same
// port (TIME-WAIT, RFC 9293 section 3.6.1) refuses the first packet, and the
// client sends it again.
func (w *Watcher) onEnd(c connection) {
	switch {
	case !c.attributed:
	case !c.established && w.path.Reopen(c.ID):
		w.queueEvent(report.Event{Kind: report.Reopened, Family: rule.FamilyOf(c.From), Pinhole: report.Pinhole{Expectation: c.Expectation, State: report.Open}})
	default:
		w.queueEvent(report.Event{Kind: report.Disconnected, Family: rule.FamilyOf(c.From), Pinhole: report.Pinhole{Expectation: c.Expectation, State: report.Closing}, Traffic: c.traffic})
	}
}

// resync compares what is known with what the kernel holds: after events
// were lost, and at the start.
func (w *Watcher) resync() error {
	before := w.connections.listConnections()
	flows, err := w.dump(w.options.Mark)
	if err != nil {
		return err
	}
	there := map[ctnetlink.Tuple]uint32{}
	for _, f := range flows {
		there[f.Orig] = f.ID
	}
	// First what has gone: another may have its tuple now.
	for _, c := range before {
		if id, ok := there[c.orig]; !ok || id != c.id {
			w.onDelete(ctnetlink.Flow{Orig: c.orig, ID: c.id})
		}
	}
	for _, f := range flows {
		if w.path.IsMasterEntry(f) || w.connections.has(f) {
			continue
		}
		w.onNew(f)
		w.onState(f)
	}
	return nil
}

// pollLoop watches live connections for their end, and deletes the entries of
// those that have rested.
func (w *Watcher) pollLoop() {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.quit:
			return
		case now := <-tick.C:
			w.poll(w.connections.openConnections())
			w.deleteEntries(entriesOf(w.connections.takeExpired(now)))
			w.deliverEvents()
		}
	}
}

// poll asks the kernel how connections are.
func (w *Watcher) poll(list []connection) {
	w.asking.Lock()
	defer w.asking.Unlock()
	for some := range slices.Chunk(list, ctnetlink.MostMessages) {
		p := w.kernel.Next()
		first := p.Last() + 1
		for _, c := range some {
			p.Message(ctnetlink.FlowGet, 0, rule.FamilyOf(c.orig.Src.Addr()), func() { p.Tuple(ctnetlink.CTATupleOrig, c.orig) })
		}
		refused, err := w.kernel.Query(w.onState)
		if err != nil {
			return // the next look will tell
		}
		for _, r := range refused {
			if c := some[r.Message-first]; r.Errno == unix.ENOENT {
				w.onDelete(ctnetlink.Flow{Orig: c.orig, ID: c.id})
			}
		}
	}
}

// onState takes note of a connection's state.
func (w *Watcher) onState(f ctnetlink.Flow) {
	c, ended := w.connections.update(f, time.Now())
	switch {
	case ended:
		w.onEnd(c)
	case c.attributed && c.traffic.Counted:
		w.queueEvent(report.Event{Kind: report.Carrying, Family: rule.FamilyOf(c.From), Pinhole: report.Pinhole{Expectation: c.Expectation, State: report.Used}, Traffic: c.traffic})
	}
	if c.attributed && f.TCP >= ctnetlink.TCPEstablished && f.TCP <= ctnetlink.TCPClose {
		w.path.MarkEstablished(c.ID)
	}
}

// deleteEntries deletes the entries of ended connections. The word of it comes as
// an event.
func (w *Watcher) deleteEntries(list []ctnetlink.Flow) {
	w.asking.Lock()
	defer w.asking.Unlock()
	for some := range slices.Chunk(list, ctnetlink.MostMessages) {
		p := w.kernel.Next()
		for _, c := range some {
			ctnetlink.DeleteFlow(p, c.Orig, c.ID)
		}
		w.kernel.Execute() // what is gone is gone
	}
}

// How long a promise waits for an earlier connection that is closing, and how
// often it looks.
const (
	closingWait = 200 * time.Millisecond
	closingPoll = 5 * time.Millisecond
)

// Cut has the kernel forget the live connections of a session.
func (w *Watcher) Cut(session uint64) {
	other := func(c connection) bool { return !c.attributed || c.Session != session }
	w.deleteEntries(entriesOf(slices.DeleteFunc(w.connections.openConnections(), other)))
}

// ForgetColliding has the kernel forget what Colliding returns.
func (w *Watcher) ForgetColliding(e expect.Expectation) {
	if list := w.Colliding(e); len(list) > 0 {
		w.deleteEntries(list)
	}
}

// Colliding returns the ended connections that a promised one could collide
// with: the same target and the same source towards it; or the same host and
// address on this side, by which the kernel would take the promised one for the
// ended one, and send it to that one's target. One whose end has
// not been seen yet is looked up first, for only the ended may be deleted; one
// that is closing is given a moment, since its last packets are under way.
// Events that have come are read first.
func (w *Watcher) Colliding(e expect.Expectation) []ctnetlink.Flow {
	w.readPending()
	ended := func(c connection) bool { return !c.live() }
	for waited := time.Duration(0); ; waited += closingPoll {
		list := w.connections.couldCollide(e)
		if slices.ContainsFunc(list, connection.live) {
			w.poll(slices.DeleteFunc(list, ended))
			list = w.connections.couldCollide(e)
		}
		if waited >= closingWait || !slices.ContainsFunc(list, connection.closing) {
			return entriesOf(slices.DeleteFunc(list, connection.live))
		}
		time.Sleep(closingPoll)
	}
}

// entriesOf returns what names the entries of connections.
func entriesOf(list []connection) []ctnetlink.Flow {
	entries := make([]ctnetlink.Flow, len(list))
	for i, c := range list {
		entries[i] = ctnetlink.Flow{Orig: c.orig, ID: c.id}
	}
	return entries
}
