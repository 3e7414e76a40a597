package follow

import (
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/report"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// keepEnded is how long the kernel keeps the entry of a connection that has
// ended, for packets that were under way. Left alone it would keep it for two
// minutes (nf_conntrack_tcp_timeout_time_wait), and many transfers fill the
// table.
const keepEnded = 10 * time.Second

// connection is a data connection that came through a pinhole.
type connection struct {
	expect.Expectation
	// attributed is false for one that was found at the start: whose promise it
	// was is not known.
	attributed bool
	orig       ctnetlink.Tuple
	id         uint32
	target     targetKey
	began      time.Time
	// ended is when the connection was found closed. The kernel keeps its
	// entry for a while.
	ended time.Time
	// established says that it came about, half that one side has ended it.
	established, halfClosed bool
	// traffic as it was last seen.
	traffic report.Traffic
}

// targetKey is what two connections to the same target have in common towards
// it: if their source ports are the same too, the later one cannot be
// entered while the earlier one still is.
type targetKey struct {
	target netip.AddrPort
	seen   netip.Addr
}

func targetKeyOf(e expect.Expectation) targetKey { return targetKey{e.Target, e.Seen} }

// connections are the data connections that the kernel still has entries
// of.
type connections struct {
	mu       sync.Mutex
	all      map[ctnetlink.Tuple]*connection
	byTarget map[targetKey][]*connection
	byKey    map[expect.Key][]*connection // by what they show before translation
	live     map[*connection]struct{}
	ended    []*connection // in the order of their ends
}

func newConnections() *connections {
	return &connections{all: map[ctnetlink.Tuple]*connection{}, byTarget: map[targetKey][]*connection{}, byKey: map[expect.Key][]*connection{}, live: map[*connection]struct{}{}}
}

// addConnection enters a connection, and reports false if it is there already.
func (c *connections) addConnection(f ctnetlink.Flow, e expect.Expectation, known bool, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.all[f.Orig]
	switch {
	case old == nil:
	case old.id == f.ID:
		return false
	default:
		c.forgetLocked(old)
	}
	n := &connection{Expectation: e, attributed: known, orig: f.Orig, id: f.ID, target: targetKey{f.Reply.Src, f.Reply.Dst.Addr()}, began: now}
	c.all[n.orig] = n
	c.live[n] = struct{}{}
	c.byTarget[n.target] = append(c.byTarget[n.target], n)
	c.byKey[n.key()] = append(c.byKey[n.key()], n)
	return true
}

// has reports whether a flow is one of the connections.
func (c *connections) has(f ctnetlink.Flow) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.all[f.Orig]
	return n != nil && n.id == f.ID
}

// update takes note of what the kernel says of a connection. It returns the
// connection, and whether that has ended just now.
func (c *connections) update(f ctnetlink.Flow, now time.Time) (connection, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.all[f.Orig]
	if n == nil || n.id != f.ID || !n.ended.IsZero() {
		return connection{}, false
	}
	n.record(f, now)
	if f.TCP != ctnetlink.TCPTimeWait && f.TCP != ctnetlink.TCPClose {
		return *n, false
	}
	n.ended = now
	delete(c.live, n)
	c.ended = append(c.ended, n)
	return *n, true
}

func (n *connection) record(f ctnetlink.Flow, now time.Time) {
	n.established = n.established || f.Assured
	n.halfClosed = f.TCP > ctnetlink.TCPEstablished && f.TCP < ctnetlink.TCPTimeWait
	n.traffic.Duration = now.Sub(n.began)
	if f.Counted {
		n.traffic.Sent, n.traffic.Received, n.traffic.Counted = f.Sent, f.Received, true
	}
}

// removeConnection forgets a connection whose entry the kernel has deleted; the flow
// holds at least its original tuple and id. It returns the connection, and
// whether its end had not been seen before.
func (c *connections) removeConnection(f ctnetlink.Flow, now time.Time) (connection, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.all[f.Orig]
	if n == nil || n.id != f.ID {
		return connection{}, false
	}
	c.forgetLocked(n)
	if !n.ended.IsZero() {
		return *n, false
	}
	n.record(f, now)
	return *n, true
}

func (c *connections) forgetLocked(n *connection) {
	delete(c.all, n.orig)
	delete(c.live, n)
	removeFrom(c.byTarget, n.target, n)
	removeFrom(c.byKey, n.key(), n)
}

func removeFrom[K comparable](m map[K][]*connection, key K, n *connection) {
	others := slices.DeleteFunc(m[key], func(other *connection) bool { return other == n })
	if len(others) == 0 {
		delete(m, key)
		return
	}
	m[key] = others
}

// key returns what the connection shows of itself before it is translated.
func (n *connection) key() expect.Key {
	return expect.Key{From: n.orig.Src.Addr(), Reached: n.orig.Dst}
}

// couldCollide returns the connections that a promised one could collide with, on
// either side of the translation.
func (c *connections) couldCollide(e expect.Expectation) []connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []connection
	target := targetKeyOf(e)
	for _, n := range c.byTarget[target] {
		found = append(found, *n)
	}
	for _, n := range c.byKey[e.Key()] {
		if n.target != target {
			found = append(found, *n)
		}
	}
	return found
}

// openConnections returns the connections whose end has not been seen.
func (c *connections) openConnections() []connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]connection, 0, len(c.live))
	for n := range c.live {
		list = append(list, *n)
	}
	return list
}

// listConnections returns all connections.
func (c *connections) listConnections() []connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := make([]connection, 0, len(c.all))
	for _, n := range c.all {
		list = append(list, *n)
	}
	return list
}

// takeExpired returns each ended connection once, when it has rested. One that
// the kernel has forgotten by then may be among them.
func (c *connections) takeExpired(now time.Time) []connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []connection
	for len(c.ended) > 0 && now.Sub(c.ended[0].ended) >= keepEnded {
		list = append(list, *c.ended[0])
		c.ended[0] = nil
		c.ended = c.ended[1:]
	}
	return list
}

func (n connection) live() bool { return n.ended.IsZero() }

// closing reports whether its end is near, most likely.
func (n connection) closing() bool { return n.live() && n.halfClosed }
