package capture

import (
	"net/netip"
	"time"

	"ftpalg/alg/dialogue"
)

// Options says to whom an Analyzer reports. Every function may be nil.
type Options struct {
	// Policy returns what a gateway would do with a session between two hosts.
	Policy func(client, server netip.AddrPort) dialogue.Policy
	// Announced is called for each line that announces a data connection, once
	// it is known to be FTP: nearly in the order of frames.
	Announced func(*Announcement)
	// Ended is called when nothing more will be said in a session. Its data
	// connections may go on.
	Ended func(*Session)
}

// Analyzer follows the connections of a capture.
type Analyzer struct {
	options     Options
	decoder     decoder
	connections map[key]*connection
	ages        ages
	ended       []*connection // over, in this order, and kept for a while
	expected    expected
	twins       map[[2]uint32]*Session // by their first sequence numbers
	sessions    uint64
	stats       Stats
	// held is how much memory the connections hold, in bytes; kept how many
	// announcements their sessions do.
	held, kept int
}

// Limits of all connections together.
const (
	maxConnections = 1 << 15
	maxHeldInAll   = 64 << 20 // bytes
	maxKeptInAll   = 50000    // announcements
	// maxSpared is how many idle sessions are spared when room is needed.
	maxSpared = 64
	// maxLate is how many connections are looked at for an announcement whose
	// line was late.
	maxLate = 4096
	// maxNear is how many of the latest are looked at in any case, and nearTime
	// how much earlier they may have begun: recordings lose a line's first
	// sending too.
	maxNear  = 32
	nearTime = time.Second
)

// NewAnalyzer returns an Analyzer that has seen nothing yet.
func NewAnalyzer(o Options) *Analyzer {
	return &Analyzer{options: o, connections: make(map[key]*connection), expected: newExpected(), twins: make(map[[2]uint32]*Session)}
}

// Held returns how much memory is held for what could not be read yet, in
// bytes.
func (a *Analyzer) Held() int { return a.held }

// Stats returns the counts so far.
func (a *Analyzer) Stats() Stats { return a.stats }

// Add takes the next frame of the capture; one without a Number only tells the
// time.
func (a *Analyzer) Add(f Frame) {
	if f.Number == 0 {
		a.bury(f.Time)
		return
	}
	a.stats.Frames++
	found, err := a.decoder.decode(f)
	if err != nil {
		a.undecoded(f, err)
	}
	switch found := found.(type) {
	case segment:
		a.segment(&found)
	case unreachable:
		a.unreachable(&found)
	}
}

func (a *Analyzer) segment(s *segment) {
	a.stats.Segments++
	if s.missing > 0 {
		a.stats.Snapped++
	}
	k, side := keyOf(s.src, s.dst)
	c := a.connections[k]
	if c != nil && s.flags.has(flagSYN) && !c.continues(s, side) {
		a.end(c)
		c = nil
	}
	if c == nil {
		c = a.open(k, s, side)
	}
	a.ages.touch(c)
	before := c.heldBytes()
	c.add(s, side)
	a.held += c.heldBytes() - before
	for a.held > maxHeldInAll {
		a.evict()
	}
	if c.over() && c.buried.IsZero() {
		a.mourn(c, s.time)
	}
	a.bury(s.time)
}

// mourn notes that a connection is over.
func (a *Analyzer) mourn(c *connection, now time.Time) {
	c.buried = now.Add(lastWords)
	a.ended = append(a.ended, c)
}

// bury ends the connections that have been over for long enough: nothing that
// was recorded late is to come.
func (a *Analyzer) bury(now time.Time) {
	for len(a.ended) > 0 && (now.After(a.ended[0].buried) || len(a.ended) > maxConnections) {
		c := a.ended[0]
		a.ended = a.ended[1:]
		switch {
		case a.connections[c.ends] != c:
		case now.Sub(c.lastTime) < lastWords && len(a.ended) < maxConnections:
			a.mourn(c, now) // it goes on all the same
		default:
			a.end(c)
		}
	}
}

// lastWords is how long a connection that is over may still say something.
const lastWords = 10 * time.Second

// evict forgets the connection that has been idle for longest; sessions are
// spared if others are nearly as old.
func (a *Analyzer) evict() {
	a.stats.Evicted++
	victim := a.ages.oldest()
	for c, n := victim, 0; c != nil && n < maxSpared; c, n = c.newer, n+1 {
		if c.session == nil {
			victim = c
			break
		}
	}
	a.end(victim)
}

// open begins to follow a connection.
func (a *Analyzer) open(k key, s *segment, side int) *connection {
	if len(a.connections) >= maxConnections {
		a.evict()
	}
	c := &connection{ends: k, opener: unknownSide, reset: unknownSide}
	c.halves[0].end, c.halves[1].end = -1, -1
	if s.flags.has(flagSYN) {
		c.halves[side].begin(s.seq + 1)
		c.halves[side].fromSYN = true
		c.opener = side
		if s.flags.has(flagACK) {
			c.opener = 1 - side
		}
	}
	a.connections[k] = c
	a.ages.add(c)
	a.stats.Connections++
	a.claim(c, s, side)
	c.reader = newSuspect(a, c)
	return c
}

// announce takes note of an announcement of a session. Its connection may
// have been seen already, if the line waited for what was missing.
func (a *Analyzer) announce(an *Announcement) {
	a.stats.Announcements++
	a.expected.add(an)
	a.claimLate(an)
	if a.options.Announced != nil {
		a.options.Announced(an)
	}
}

// unreachable notes an ICMP message about a connection.
func (a *Analyzer) unreachable(u *unreachable) {
	k, _ := keyOf(u.src, u.dst)
	if c := a.connections[k]; c != nil && c.why == "" {
		c.why, c.whom = u.why, u.from
	}
}

// begin makes a connection a session.
func (a *Analyzer) begin(c *connection, client int) *Session {
	a.sessions++
	a.stats.Sessions++
	s := &Session{
		Number: a.sessions, Client: c.ends[client], Server: c.ends[1-client],
		Midway: !c.halves[0].fromSYN && !c.halves[1].fromSYN,
		First:  c.first, Begun: c.firstTime,
	}
	var policy dialogue.Policy
	if a.options.Policy != nil {
		policy = a.options.Policy(s.Client, s.Server)
	}
	s.talk = talk{
		analyzer: a, conn: c, client: client, blind: s.Midway,
		dialogue: dialogue.Observe(policy, s.Client.Addr(), s.Server.Addr(), !s.Midway),
	}
	c.reader, c.session = s, s
	a.pair(s)
	return s
}

// pair finds the same session on the other side of a NAT, which changes
// addresses and keeps sequence numbers.
func (a *Analyzer) pair(s *Session) {
	numbers, ok := s.numbers()
	if !ok {
		return
	}
	if twin := a.twins[numbers]; twin != nil {
		s.Twin, twin.Twin = twin, s
		return
	}
	a.twins[numbers] = s
}

// end ends the following of a connection.
func (a *Analyzer) end(c *connection) {
	before := c.heldBytes()
	c.flush()
	if suspect, ok := c.reader.(*suspect); ok {
		suspect.last()
	}
	delete(a.connections, c.ends)
	a.ages.remove(c)
	if s := c.session; s != nil {
		if numbers, ok := s.numbers(); ok && a.twins[numbers] == s {
			delete(a.twins, numbers)
		}
		s.end()
		if a.options.Ended != nil {
			a.options.Ended(s)
		}
	}
	c.forget()
	a.held -= before
}

// Finish ends everything: the capture has no more frames.
func (a *Analyzer) Finish() {
	// All lines first: they may claim connections of any age.
	for c := a.ages.oldest(); c != nil; c = c.newer {
		before := c.heldBytes()
		c.flush()
		a.held += c.heldBytes() - before
	}
	for c := a.ages.oldest(); c != nil; c = a.ages.oldest() {
		a.end(c)
	}
}
