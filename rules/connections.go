package rules

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"ftpalg/alg/expect"
)

// rest is how long the kernel keeps the entry of a connection that has
// ended, for packets that were under way. Left alone it would keep it for two
// minutes (nf_conntrack_tcp_timeout_time_wait), and many transfers fill the
// table.
const rest = 10 * time.Second

// connection is a data connection that came through a pinhole.
type connection struct {
	expect.Expectation
	// known is false for one that was found at the start: whose promise it
	// was is not known.
	known   bool
	orig    tuple
	id      uint32
	contact contact
	began   time.Time
	// ended is when the connection was found closed. The kernel keeps its
	// entry for a while.
	ended time.Time
	// established says that it came about.
	established bool
	// traffic as it was last seen.
	traffic Traffic
}

// contact is what two connections to the same target have in common towards
// it: if their source ports are the same too, the later one cannot be
// entered while the earlier one still is.
type contact struct {
	target netip.AddrPort
	seen   netip.Addr
}

func contactOf(e expect.Expectation) contact { return contact{e.Target, e.Seen} }

// connections are the data connections that the kernel still has entries
// of.
type connections struct {
	mu       sync.Mutex
	all      map[tuple]*connection
	contacts map[contact][]*connection
}

func newConnections() *connections {
	return &connections{all: map[tuple]*connection{}, contacts: map[contact][]*connection{}}
}

// add enters a connection, and reports false if it is there already.
func (c *connections) add(f flow, e expect.Expectation, known bool, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.all[f.orig]
	switch {
	case old == nil:
	case old.id == f.id:
		return false
	default:
		c.part(old)
	}
	n := &connection{Expectation: e, known: known, orig: f.orig, id: f.id, contact: contact{f.reply.src, f.reply.dst.Addr()}, began: now}
	c.all[n.orig] = n
	c.contacts[n.contact] = append(c.contacts[n.contact], n)
	return true
}

// has reports whether a flow is one of the connections.
func (c *connections) has(f flow) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.all[f.orig]
	return n != nil && n.id == f.id
}

// see takes note of what the kernel says of a connection. It returns the
// connection, and whether that has ended just now.
func (c *connections) see(f flow, now time.Time) (connection, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.all[f.orig]
	if n == nil || n.id != f.id || !n.ended.IsZero() {
		return connection{}, false
	}
	n.note(f, now)
	if f.tcp != tcpTimeWait && f.tcp != tcpClose {
		return *n, false
	}
	n.ended = now
	return *n, true
}

func (n *connection) note(f flow, now time.Time) {
	n.established = n.established || f.assured
	n.traffic.Duration = now.Sub(n.began)
	if f.counted {
		n.traffic.Sent, n.traffic.Received, n.traffic.Counted = f.sent, f.received, true
	}
}

// gone forgets a connection whose entry the kernel has deleted; the flow
// holds at least its original tuple and id. It returns the connection, and
// whether its end had not been seen before.
func (c *connections) gone(f flow, now time.Time) (connection, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.all[f.orig]
	if n == nil || n.id != f.id {
		return connection{}, false
	}
	delete(c.all, n.orig)
	c.part(n)
	if !n.ended.IsZero() {
		return *n, false
	}
	n.note(f, now)
	return *n, true
}

func (c *connections) part(n *connection) {
	others := slices.DeleteFunc(c.contacts[n.contact], func(other *connection) bool { return other == n })
	if len(others) == 0 {
		delete(c.contacts, n.contact)
		return
	}
	c.contacts[n.contact] = others
}

// before returns the connections that a promised one could collide with.
func (c *connections) before(e expect.Expectation) []connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []connection
	for _, n := range c.contacts[contactOf(e)] {
		found = append(found, *n)
	}
	return found
}

// where returns copies of the connections that the function picks.
func (c *connections) where(pick func(*connection) bool) []connection {
	c.mu.Lock()
	defer c.mu.Unlock()
	var picked []connection
	for _, n := range c.all {
		if pick(n) {
			picked = append(picked, *n)
		}
	}
	return picked
}

func (n *connection) live() bool { return n.ended.IsZero() }

func (n *connection) rested(now time.Time) bool { return !n.live() && now.Sub(n.ended) >= rest }
