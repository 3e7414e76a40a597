package rules

import (
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/alg/expect"
)

// lookEvery is how often live data connections are looked up, to learn their
// end. The kernel's own word of it comes two minutes late, when the entry
// goes.
const lookEvery = 500 * time.Millisecond

// watched is who promised the connections that a watcher sees.
type watched interface {
	// use marks the promise of a way as used, and returns it.
	use(way) (expect.Expectation, bool)
	// settled says that a promise's connection is established.
	settled(expect.ID)
	// again admits another attempt, after one that did not come about, and
	// reports whether it did.
	again(expect.ID) bool
	// lost says that a shadow is gone.
	lost(flow)
}

// watcher follows data connections from their first packet to their end.
type watcher struct {
	options  Options
	promises watched
	// mark is a bit that all the connections have, 0 where they need not.
	mark        uint32
	connections *connections

	hearing sync.Mutex // held while events are read
	events  *ctevents

	wire   sync.Mutex // held while the kernel is asked
	kernel *ctsocket

	telling sync.Mutex // held while others are told
	mu      sync.Mutex
	news    []Event // that others are to be told

	quit chan struct{}
	done sync.WaitGroup
}

// newWatcher subscribes to events. What the kernel holds already is entered,
// so that it is known when it gets in a new promise's way.
func newWatcher(o Options, w watched, mark uint32) (*watcher, error) {
	events, err := subscribe(mark, o.EventBuffer)
	if err != nil {
		return nil, err
	}
	kernel, err := dialConntrack()
	if err != nil {
		return nil, errors.Join(err, events.close())
	}
	n := &watcher{
		options: o, promises: w, mark: mark, connections: newConnections(),
		events: events, kernel: kernel, quit: make(chan struct{}),
	}
	return n, nil
}

// start begins to follow. It is called once.
func (w *watcher) start() {
	w.resync()
	w.done.Go(w.listen)
	w.done.Go(w.look)
}

func (w *watcher) stop() error {
	close(w.quit)
	err := w.events.end()
	w.done.Wait()
	w.hearing.Lock()
	defer w.hearing.Unlock()
	w.wire.Lock()
	defer w.wire.Unlock()
	return errors.Join(err, w.events.close(), w.kernel.close())
}

// eventPause is for how long events gather before they are read: together they
// cost little more than one alone.
const eventPause = 5 * time.Millisecond

// listen reads events until the subscription ends.
func (w *watcher) listen() {
	for w.events.wait() {
		w.hear()
		w.tell()
		time.Sleep(eventPause)
	}
}

// hear reads the events that have come. Whatever goes wrong, most likely that
// the kernel had no room for more (ENOBUFS), something was lost. The kernel
// goes on to drop events, and says so no more, until everything that it has
// queued was read (NETLINK_S_CONGESTED in net/netlink/af_netlink.c): only then
// a look at the table shows all that was missed.
func (w *watcher) hear() {
	w.hearing.Lock()
	defer w.hearing.Unlock()
	lost := false
	for {
		n, err := w.events.next(w.event)
		lost = lost || err != nil && err != unix.EAGAIN
		if n < mailboxSlots && err != unix.ENOBUFS {
			break
		}
	}
	if lost {
		w.report(Event{Kind: EventsLost, Err: w.resync()})
	}
}

// report notes what others are to be told. Whoever opens a promise reports and
// does not tell, for he may hold what the told would wait for.
func (w *watcher) report(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.news = append(w.news, e)
}

// tell tells others what was reported, in that order.
func (w *watcher) tell() {
	w.telling.Lock()
	defer w.telling.Unlock()
	w.mu.Lock()
	news := w.news
	w.news = nil
	w.mu.Unlock()
	for _, e := range news {
		w.options.Connections(e)
	}
}

func (w *watcher) event(kind uint16, f flow) {
	switch {
	case f.isShadow(w.options.ExpectationMark):
		if kind == flowDelete {
			w.promises.lost(f)
		}
	case kind == flowNew:
		w.came(f)
	case kind == flowDelete:
		w.gone(f)
	}
}

// came enters a connection if it was promised, be it in a time that is not
// remembered any more.
func (w *watcher) came(f flow) {
	e, ok := w.promises.use(way{f.orig.src.Addr(), f.orig.dst})
	if !ok && (w.mark == 0 || !f.expected) {
		return
	}
	w.connections.add(f, e, ok, time.Now())
	if !ok {
		return
	}
	w.report(Event{Kind: Connected, Family: familyOf(e.From), Pinhole: Pinhole{e, Used}})
}

func (w *watcher) gone(f flow) {
	if c, news := w.connections.gone(f, time.Now()); news {
		w.ended(c)
	}
}

// ended tells of a connection's end. One that never came about does not
// count: a server that still remembers an earlier connection from the same
// port (TIME-WAIT, RFC 9293 section 3.6.1) refuses the first packet, and the
// client sends it again.
func (w *watcher) ended(c connection) {
	switch {
	case !c.known:
	case !c.established && w.promises.again(c.ID):
		w.report(Event{Kind: Reopened, Family: familyOf(c.From), Pinhole: Pinhole{c.Expectation, Open}})
	default:
		w.report(Event{Kind: Disconnected, Family: familyOf(c.From), Pinhole: Pinhole{c.Expectation, Closing}, Traffic: c.traffic})
	}
}

// resync compares what is known with what the kernel holds: after events
// were lost, and at the start.
func (w *watcher) resync() error {
	before := w.connections.list()
	flows, err := dumpFlows(w.mark)
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
			w.gone(flow{orig: c.orig, id: c.id})
		}
	}
	for _, f := range flows {
		if f.isShadow(w.options.ExpectationMark) || w.connections.has(f) {
			continue
		}
		w.came(f)
		w.saw(f)
	}
	return nil
}

// look watches live connections for their end, and deletes the entries of
// those that have rested.
func (w *watcher) look() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-w.quit:
			return
		case now := <-tick.C:
			w.lookUp(w.connections.open())
			w.remove(w.connections.rested(now))
			w.tell()
		}
	}
}

// lookUp asks the kernel how connections are.
func (w *watcher) lookUp(list []connection) {
	w.wire.Lock()
	defer w.wire.Unlock()
	for some := range slices.Chunk(list, packetLength) {
		p := w.kernel.next()
		first := p.count + 1
		for _, c := range some {
			p.message(flowGet, 0, familyOf(c.orig.src.Addr()), func() { p.tuple(ctaTupleOrig, c.orig) })
		}
		refused, err := w.kernel.ask(func(_ uint32, f flow) { w.saw(f) })
		if err != nil {
			return // the next look will tell
		}
		for _, r := range refused {
			if c := some[r.message-first]; r.errno == unix.ENOENT {
				w.gone(flow{orig: c.orig, id: c.id})
			}
		}
	}
}

// saw takes note of a connection's state.
func (w *watcher) saw(f flow) {
	c, ended := w.connections.see(f, time.Now())
	switch {
	case ended:
		w.ended(c)
	case c.known && c.traffic.Counted:
		w.report(Event{Kind: Carrying, Family: familyOf(c.From), Pinhole: Pinhole{c.Expectation, Used}, Traffic: c.traffic})
	}
	if c.known && f.tcp >= tcpEstablished && f.tcp <= tcpClose {
		w.promises.settled(c.ID)
	}
}

// remove deletes the entries of ended connections. The word of it comes as
// an event.
func (w *watcher) remove(list []connection) {
	w.wire.Lock()
	defer w.wire.Unlock()
	for some := range slices.Chunk(list, packetLength) {
		p := w.kernel.next()
		for _, c := range some {
			removeFlow(p, c.orig, c.id)
		}
		w.kernel.do() // what is gone is gone
	}
}

// How long a promise waits for an earlier connection that is closing, and how
// often it looks.
const (
	closingPatience = 200 * time.Millisecond
	closingLook     = 5 * time.Millisecond
)

// cut has the kernel forget the live connections of a session.
func (w *watcher) cut(session uint64) {
	other := func(c connection) bool { return !c.known || c.Session != session }
	w.remove(slices.DeleteFunc(w.connections.open(), other))
}

// past returns the ended connections that a promised one could collide
// with: the same target and the same source towards it. One whose end has
// not been seen yet is looked up first, for only the ended may be deleted; one
// that is closing is given a moment, since its last packets are under way.
// What has come is heard first.
func (w *watcher) past(e expect.Expectation) []connection {
	w.hear()
	ended := func(c connection) bool { return !c.live() }
	for waited := time.Duration(0); ; waited += closingLook {
		list := w.connections.before(e)
		if slices.ContainsFunc(list, connection.live) {
			w.lookUp(slices.DeleteFunc(list, ended))
			list = w.connections.before(e)
		}
		if waited >= closingPatience || !slices.ContainsFunc(list, connection.closing) {
			return slices.DeleteFunc(list, connection.live)
		}
		time.Sleep(closingLook)
	}
}
