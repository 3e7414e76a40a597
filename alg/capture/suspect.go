package capture

import (
	"bytes"
	"slices"
	"time"
)

// suspect holds back what a connection says until it is clear whether that is
// FTP.
type suspect struct {
	analyzer *Analyzer
	conn     *connection
	held     []event
	size     int
	lines    [2]lineCutter
	// asClient are the two guesses which side is the client.
	asClient [2]guess
}

// event is what a reader is told.
type event struct {
	side  int
	data  []byte // nil for a loss
	lost  int64
	cut   bool
	frame uint64
	at    time.Time
}

// Limits of what is held back of a connection that may be FTP: a long banner.
const (
	maxSuspectBytes  = 32 << 10
	maxSuspectEvents = 512
)

func newSuspect(a *Analyzer, c *connection) *suspect {
	s := &suspect{analyzer: a, conn: c}
	for side := range s.asClient {
		s.asClient[side].whole = c.halves[0].fromSYN || c.halves[1].fromSYN
		s.asClient[side].dead = c.opener != unknownSide && c.opener != side
	}
	return s
}

// take implements reader. What it gets it keeps: the caller does not.
func (s *suspect) take(side int, data []byte, frame uint64, at time.Time) {
	if s.analyzer.encrypted(s, side, data) {
		s.acquit()
		return
	}
	s.hold(event{side: side, data: data, frame: frame, at: at})
	if s.size > maxSuspectBytes || len(s.held) > maxSuspectEvents {
		s.acquit()
		return
	}
	cutter := &s.lines[side]
	cutter.add(data)
	for {
		line, ok := cutter.next()
		if !ok {
			break
		}
		s.asClient[side].command(line)
		s.asClient[1-side].reply(line)
	}
	if cutter.binary() {
		s.asClient[0].dead, s.asClient[1].dead = true, true
	}
	s.judge()
}

// lost implements reader.
func (s *suspect) lost(side int, bytes int64, snapped bool, frame uint64) {
	s.hold(event{side: side, lost: bytes, cut: snapped, frame: frame})
	s.lines[side] = lineCutter{}
	for i := range s.asClient {
		s.asClient[i].gap()
	}
	if len(s.held) > maxSuspectEvents {
		s.acquit()
	}
}

// closed implements reader.
func (s *suspect) closed(int) {}

// silent reports whether a side has said nothing so far.
func (s *suspect) silent(side int) bool {
	return !slices.ContainsFunc(s.held, func(e event) bool { return e.side == side })
}

// heldBytes returns how much memory the suspicion takes.
func (s *suspect) heldBytes() int {
	return s.size + cap(s.lines[0].held) + cap(s.lines[1].held) + len(s.held)*64
}

func (s *suspect) hold(e event) {
	s.held = append(s.held, e)
	s.size += len(e.data)
}

// judge ends the suspicion if it is clear what the connection is.
func (s *suspect) judge() {
	if s.asClient[0].dead && s.asClient[1].dead {
		s.acquit()
		return
	}
	for side := range s.asClient {
		g := &s.asClient[side]
		if !g.dead && (g.sure || g.tells() || g.telling && s.alone(side)) {
			s.convict(side)
			return
		}
	}
}

// alone reports whether one side speaks of FTP and the other, which can be
// seen to have spoken, was not recorded.
func (s *suspect) alone(client int) bool {
	c, server := &s.conn.halves[client], &s.conn.halves[1-client]
	switch {
	case s.conn.claimed:
		return false
	case s.asClient[client].replies > 0 && s.asClient[client].commands == 0:
		return server.hears() && c.sent() <= 1
	case s.asClient[client].commands > 0 && s.asClient[client].replies == 0:
		return c.hears() && server.sent() <= 1
	}
	return false
}

// acquit gives the connection up: it is no FTP.
func (s *suspect) acquit() { s.conn.forget() }

// convict makes the connection a session, which is told what was held back.
func (s *suspect) convict(client int) {
	session := s.analyzer.begin(s.conn, client)
	for _, e := range s.held {
		if s.conn.reader == nil {
			return
		}
		if e.data == nil {
			session.lost(e.side, e.lost, e.cut, e.frame)
		} else {
			session.take(e.side, e.data, e.frame, e.at)
		}
	}
}

// last is asked when nothing more will come: a server that greeted as FTP is
// one, even if nobody spoke to it.
func (s *suspect) last() {
	s.judge()
	if s.conn.reader != s {
		return
	}
	for side := range s.asClient {
		g := &s.asClient[side]
		midway := g.telling && g.odd == 0 && !g.whole && !s.conn.claimed
		if !g.dead && (g.named || midway) {
			s.convict(side)
			return
		}
	}
}

// lineCutter cuts one side's stream into lines, for a look at them.
type lineCutter struct {
	held []byte
}

// maxLook is the longest line that is looked at, in bytes.
const maxLook = 2048

func (l *lineCutter) add(data []byte) { l.held = append(l.held, data...) }

func (l *lineCutter) next() (line []byte, ok bool) {
	n := behindLF(l.held)
	line, l.held = l.held[:n], l.held[n:]
	return line, n > 0
}

// binary reports whether what is held is no text.
func (l *lineCutter) binary() bool { return len(l.held) > maxLook || bytes.IndexByte(l.held, 0) >= 0 }
