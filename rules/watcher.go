package rules

import (
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/alg/expect"
	"ftpalg/rules/rule"
)

// pollEvery is how often live data connections are looked up, to learn their
// end. The kernel's own word of it comes two minutes late, when the entry
// goes.
const pollEvery = 500 * time.Millisecond

// watcherOptions are a watcher's settings; see rules.Options.
type watcherOptions struct {
	// Mark is a bit that all the connections have, 0 where they need not.
	Mark        uint32
	EventBuffer int
	Connections func(Event)
}

// dataPath is the path that opened the pinholes of the connections that a
// watcher sees.
type dataPath interface {
	// markConnected marks the promise of a way as used, and returns it.
	markConnected(expect.Key) (expect.Expectation, bool)
	// markEstablished says that a promise's connection is established.
	markEstablished(expect.ID)
	// reopen admits another attempt, after one that did not come about, and
	// reports whether it did.
	reopen(expect.ID) bool
	// isMasterEntry reports whether an entry is no connection, but one that
	// expectations of ours hang on.
	isMasterEntry(flow) bool
	// masterDeleted says that such an entry is gone.
	masterDeleted(flow)
}

// watcher follows data connections from their first packet to their end.
type watcher struct {
	options     watcherOptions
	path        dataPath
	connections *connections

	reading sync.Mutex // held while events are read
	events  *subscription

	asking sync.Mutex // held while the kernel is asked
	kernel *socket

	delivering sync.Mutex // held while others are told
	mu         sync.Mutex
	queued     []Event // that others are to be told

	quit chan struct{}
	done sync.WaitGroup
}

// newWatcher subscribes to events. What the kernel holds already is entered,
// so that it is known when it gets in a new promise's way.
func newWatcher(o watcherOptions, p dataPath) (*watcher, error) {
	events, err := subscribe(o.Mark, o.EventBuffer)
	if err != nil {
		return nil, err
	}
	kernel, err := dialConntrack()
	if err != nil {
		return nil, errors.Join(err, events.close())
	}
	n := &watcher{
		options: o, path: p, connections: newConnections(),
		events: events, kernel: kernel, quit: make(chan struct{}),
	}
	return n, nil
}

// start begins to follow. It is called once.
func (w *watcher) start() {
	w.resync()
	w.done.Go(w.readEvents)
	w.done.Go(w.pollLoop)
}

func (w *watcher) stop() error {
	close(w.quit)
	err := w.events.end()
	w.done.Wait()
	w.reading.Lock()
	defer w.reading.Unlock()
	w.asking.Lock()
	defer w.asking.Unlock()
	return errors.Join(err, w.events.close(), w.kernel.close())
}

// eventPause is for how long events gather before they are read: together they
// cost little more than one alone.
const eventPause = 5 * time.Millisecond

// readEvents reads events until the subscription ends.
func (w *watcher) readEvents() {
	for w.events.wait() {
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
func (w *watcher) readPending() {
	w.reading.Lock()
	defer w.reading.Unlock()
	lost := false
	for {
		n, err := w.events.next(w.onEvent)
		lost = lost || err != nil && err != unix.EAGAIN
		if n < receiverSlots && err != unix.ENOBUFS {
			break
		}
	}
	if lost {
		w.queueEvent(Event{Kind: EventsLost, Err: w.resync()})
	}
}

// queueEvent notes what others are to be told. Whoever opens a promise reports and
// does not tell, for he may hold what the told would wait for.
func (w *watcher) queueEvent(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queued = append(w.queued, e)
}

// deliverEvents tells others what was reported, in that order.
func (w *watcher) deliverEvents() {
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

func (w *watcher) onEvent(kind uint16, f flow) {
	switch {
	case w.path.isMasterEntry(f):
		if kind == flowDelete {
			w.path.masterDeleted(f)
		}
	case kind == flowNew:
		w.onNew(f)
	case kind == flowDelete:
		w.onDelete(f)
	}
}

// onNew enters a connection if it was promised, be it in a time that is not
// remembered any more.
func (w *watcher) onNew(f flow) {
	e, ok := w.path.markConnected(expect.Key{From: f.orig.src.Addr(), To: f.orig.dst})
	if !ok && (w.options.Mark == 0 || !f.expected) {
		return
	}
	w.connections.addConnection(f, e, ok, time.Now())
	if !ok {
		return
	}
	w.queueEvent(Event{Kind: Connected, Family: rule.FamilyOf(e.From), Pinhole: Pinhole{e, Used}})
}

func (w *watcher) onDelete(f flow) {
	if c, news := w.connections.removeConnection(f, time.Now()); news {
		w.onEnd(c)
	}
}

// onEnd tells of a connection's end. One that never came about does not
// count: a server that still remembers an earlier connection from the same
// port (TIME-WAIT, RFC 9293 section 3.6.1) refuses the first packet, and the
// client sends it again.
func (w *watcher) onEnd(c connection) {
	switch {
	case !c.attributed:
	case !c.established && w.path.reopen(c.ID):
		w.queueEvent(Event{Kind: Reopened, Family: rule.FamilyOf(c.From), Pinhole: Pinhole{c.Expectation, Open}})
	default:
		w.queueEvent(Event{Kind: Disconnected, Family: rule.FamilyOf(c.From), Pinhole: Pinhole{c.Expectation, Closing}, Traffic: c.traffic})
	}
}

// resync compares what is known with what the kernel holds: after events
// were lost, and at the start.
func (w *watcher) resync() error {
	before := w.connections.listConnections()
	flows, err := dumpConntrack(w.options.Mark)
	if err != nil {
		return err
	}
	there := map[tuple]uint32{}
	for _, f := range flows {
		there[f.orig] = f.id
	}
	// First what has gone: another may have its tuple now.
	for _, c := range before {
		if id, ok := there[c.orig]; !ok || id != c.id {
			w.onDelete(flow{orig: c.orig, id: c.id})
		}
	}
	for _, f := range flows {
		if w.path.isMasterEntry(f) || w.connections.has(f) {
			continue
		}
		w.onNew(f)
		w.onState(f)
	}
	return nil
}

// pollLoop watches live connections for their end, and deletes the entries of
// those that have rested.
func (w *watcher) pollLoop() {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.quit:
			return
		case now := <-tick.C:
			w.poll(w.connections.openConnections())
			w.deleteEntries(w.connections.takeExpired(now))
			w.deliverEvents()
		}
	}
}

// poll asks the kernel how connections are.
func (w *watcher) poll(list []connection) {
	w.asking.Lock()
	defer w.asking.Unlock()
	for some := range slices.Chunk(list, packetLength) {
		p := w.kernel.next()
		first := p.count + 1
		for _, c := range some {
			p.message(flowGet, 0, rule.FamilyOf(c.orig.src.Addr()), func() { p.tuple(ctaTupleOrig, c.orig) })
		}
		refused, err := w.kernel.query(func(_ uint32, f flow) { w.onState(f) })
		if err != nil {
			return // the next look will tell
		}
		for _, r := range refused {
			if c := some[r.message-first]; r.errno == unix.ENOENT {
				w.onDelete(flow{orig: c.orig, id: c.id})
			}
		}
	}
}

// onState takes note of a connection's state.
func (w *watcher) onState(f flow) {
	c, ended := w.connections.update(f, time.Now())
	switch {
	case ended:
		w.onEnd(c)
	case c.attributed && c.traffic.Counted:
		w.queueEvent(Event{Kind: Carrying, Family: rule.FamilyOf(c.From), Pinhole: Pinhole{c.Expectation, Used}, Traffic: c.traffic})
	}
	if c.attributed && f.tcp >= tcpEstablished && f.tcp <= tcpClose {
		w.path.markEstablished(c.ID)
	}
}

// deleteEntries deletes the entries of ended connections. The word of it comes as
// an event.
func (w *watcher) deleteEntries(list []connection) {
	w.asking.Lock()
	defer w.asking.Unlock()
	for some := range slices.Chunk(list, packetLength) {
		p := w.kernel.next()
		for _, c := range some {
			deleteFlow(p, c.orig, c.id)
		}
		w.kernel.execute() // what is gone is gone
	}
}

// How long a promise waits for an earlier connection that is closing, and how
// often it looks.
const (
	closingWait = 200 * time.Millisecond
	closingPoll = 5 * time.Millisecond
)

// cutSession has the kernel forget the live connections of a session.
func (w *watcher) cutSession(session uint64) {
	other := func(c connection) bool { return !c.attributed || c.Session != session }
	w.deleteEntries(slices.DeleteFunc(w.connections.openConnections(), other))
}

// colliding returns the ended connections that a promised one could collide
// with: the same target and the same source towards it. One whose end has
// not been seen yet is looked up first, for only the ended may be deleted; one
// that is closing is given a moment, since its last packets are under way.
// What has come is heard first.
func (w *watcher) colliding(e expect.Expectation) []connection {
	w.readPending()
	ended := func(c connection) bool { return !c.live() }
	for waited := time.Duration(0); ; waited += closingPoll {
		list := w.connections.sharingTarget(e)
		if slices.ContainsFunc(list, connection.live) {
			w.poll(slices.DeleteFunc(list, ended))
			list = w.connections.sharingTarget(e)
		}
		if waited >= closingWait || !slices.ContainsFunc(list, connection.closing) {
			return slices.DeleteFunc(list, connection.live)
		}
		time.Sleep(closingPoll)
	}
}
