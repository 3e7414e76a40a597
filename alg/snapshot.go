package alg

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
	"ftpalg/alg/wire"
)

// SnapshotVersion is the version of Snapshot that this program writes, and the
// only one that it reads.
const SnapshotVersion = 1

// Snapshot is what a gateway at rest hands to its successor: everything but
// the connections themselves. It can be written down as JSON.
type Snapshot struct {
	Version     int               `json:"version"`
	LastSession uint64            `json:"last_session"`
	LastPinhole expect.ID         `json:"last_pinhole"`
	Counters    Counters          `json:"counters"`
	Resting     []nat.RestingPort `json:"resting,omitempty"`
	Bans        []Ban             `json:"bans,omitempty"`
	// Closed says that no new sessions are taken.
	Closed   bool              `json:"closed,omitempty"`
	Sessions []SessionSnapshot `json:"sessions,omitempty"`
}

// SessionSnapshot is one session at rest between two reads.
type SessionSnapshot struct {
	Number    uint64            `json:"number"`
	Listener  string            `json:"listener"`
	Endpoints Endpoints         `json:"endpoints"`
	Started   time.Time         `json:"started"`
	Spoke     time.Time         `json:"spoke"`
	User      []byte            `json:"user,omitempty"`
	Dialogue  dialogue.Snapshot `json:"dialogue"`
	Client    HalfSnapshot      `json:"client"`
	Server    HalfSnapshot      `json:"server"`
	// Commands and Replies are the states of the two splitters.
	Commands wire.CommandSnapshot `json:"commands"`
	Replies  wire.ReplySnapshot   `json:"replies"`
	// CloseBy is when the client must have closed, zero while the server's
	// stream goes on.
	CloseBy time.Time `json:"close_by,omitzero"`

	Announced   uint64  `json:"announced,omitempty"`
	Refused     uint64  `json:"refused,omitempty"`
	Transfers   uint64  `json:"transfers,omitempty"`
	ClientLines uint64  `json:"client_lines,omitempty"`
	ServerLines uint64  `json:"server_lines,omitempty"`
	Modes       uint32  `json:"modes,omitempty"`
	Traffic     Traffic `json:"traffic"`
	History     []byte  `json:"history,omitempty"`

	Data []DataSnapshot `json:"data,omitempty"`
	// Transfer is the one that runs.
	Transfer *RunningSnapshot `json:"transfer,omitempty"`
}

// HalfSnapshot is one side of a session: what was read and not taken, and what
// is to be written and could not be. Offsets of urgent bytes are -1 for none.
type HalfSnapshot struct {
	Read          []byte `json:"read,omitempty"`
	ReadUrgent    int    `json:"read_urgent"`
	Ended         bool   `json:"ended,omitempty"`
	Over          bool   `json:"over,omitempty"`
	Unwritten     []byte `json:"unwritten,omitempty"`
	UnwrittenMark int    `json:"unwritten_urgent"`
}

// DataSnapshot is one data connection of a session.
type DataSnapshot struct {
	Expectation  expect.Expectation `json:"expectation"`
	Announcement uint64             `json:"announcement"`
	Leased       uint16             `json:"leased,omitempty"`
	Opened       time.Time          `json:"opened"`
	State        DataState          `json:"state"`
	Command      string             `json:"command,omitempty"`
	File         []byte             `json:"file,omitempty"`
	Traffic      Traffic            `json:"traffic"`
	Withdrawn    bool               `json:"withdrawn,omitempty"`
	Released     bool               `json:"released,omitempty"`
	Final        bool               `json:"final,omitempty"`
}

// RunningSnapshot is a transfer that goes on, Pinhole that of its data
// connection or 0.
type RunningSnapshot struct {
	dialogue.TransferSnapshot
	Pinhole expect.ID `json:"pinhole,omitempty"`
	Began   time.Time `json:"began"`
}

// Connections are the two control connections of a session.
type Connections struct{ Client, Server Conn }

// VersionError says that a Snapshot was written by a program whose version of
// it is another.
type VersionError struct{ Version int }

// Error returns the error's text.
func (e *VersionError) Error() string {
	return fmt.Sprintf("snapshot of version %d, this program reads version %d", e.Version, SnapshotVersion)
}

// Park brings every session to rest whose server has been reached; it gives those
// that begin a moment to get there. A session under TLS goes on: its state
// cannot be written down. The connections stand in the order of
// Snapshot.Sessions. Call it when every Serve has returned; until Unpark or Leave
// nothing is read, written or timed.
// Transfers that wait for the kernel's count are reported without waiting.
func (g *Gateway) Park() (Snapshot, []Connections) {
	g.awaitBegun()
	parked := g.parkAll()
	g.data.reportAll()
	s := Snapshot{Version: SnapshotVersion, Resting: g.data.pool.Resting(), Bans: g.rates.bans()}
	var all []Connections
	for _, one := range parked {
		s.Sessions = append(s.Sessions, one.snapshot())
		all = append(all, Connections{plain(one.client.conn), one.server.conn})
	}
	g.mu.Lock()
	s.LastSession, s.Counters, s.Closed = g.next, g.ended, g.closed
	g.parked = parked
	g.mu.Unlock()
	s.LastPinhole = g.data.newID()
	s.Counters.TurnedAway, s.Counters.Traffic = g.rejected.Load(), g.data.sum(&g.data.total)
	s.Counters.Truncated = g.data.truncated.Load()
	return s, all
}

// beginTimeout bounds the wait for sessions that begin, before all are parked.
const beginTimeout = 2 * time.Second

// awaitBegun waits until no session is on its way to its server.
func (g *Gateway) awaitBegun() {
	const lookAgain = 5 * time.Millisecond
	for range int(beginTimeout / lookAgain) {
		begins := func(s *session) bool { return !s.live.Load() && !s.ended.Load() }
		if !slices.ContainsFunc(g.all(), begins) {
			return
		}
		time.Sleep(lookAgain)
	}
}

// parkAll parks the sessions side by side, and returns those at rest, oldest
// first.
func (g *Gateway) parkAll() []*session {
	all := g.all()
	var parking sync.WaitGroup
	for i, s := range all {
		parking.Go(func() {
			if !s.park() {
				all[i] = nil
			}
		})
	}
	parking.Wait()
	return slices.DeleteFunc(all, func(s *session) bool { return s == nil })
}

// Unpark lets the parked sessions go on: those of Park if there is no successor,
// and those of Restore.
func (g *Gateway) Unpark() {
	for _, s := range g.takeParked() {
		s.unpark()
		if s.unserved {
			s.end(Killed, "421 The gateway no longer has this service.")
		}
	}
}

// Leave forgets the parked sessions, which are a successor's now: nothing is
// closed, withdrawn or reported. The caller closes its descriptors. What this
// process relays goes on, until Drain.
func (g *Gateway) Leave() {
	for _, s := range g.takeParked() {
		g.data.forget(&s.data)
		s.cancel(nil)
		s.passed.forget()
		g.remove(s)
		g.running.Done()
	}
}

func (g *Gateway) takeParked() []*session {
	g.mu.Lock()
	defer g.mu.Unlock()
	parked := g.parked
	g.parked = nil
	return parked
}

// forget drops a session's data connections without a word to anybody, but for
// those that are relayed.
func (t *dataTable) forget(of *sessionData) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.conns {
		if d.session == of {
			d.stopTimer()
			if d.relay == nil {
				delete(t.conns, d.ID)
				continue
			}
			d.relay.begin() // it would not hear of it
		}
	}
}

// snapshot writes down a session at rest.
func (s *session) snapshot() SessionSnapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := SessionSnapshot{
		Number: s.number, Listener: s.service.Name, Endpoints: s.ends,
		Started: s.started, Spoke: time.Unix(0, s.spoke.Load()), Dialogue: s.dialogue.Snapshot(),
		Client: s.client.snapshot(), Server: s.server.snapshot(),
		Commands: s.client.lines.(*wire.CommandSplitter).Snapshot(),
		Replies:  s.server.lines.(*wire.ReplySplitter).Snapshot(),
		CloseBy:  s.closeBy, Announced: s.announced.Load(), Refused: s.refused.Load(), Transfers: s.transfers.Load(),
		ClientLines: s.lines.client.Load(), ServerLines: s.lines.server.Load(), Modes: s.modes.bits.Load(),
		History: s.history.snapshot(),
	}
	if user := s.user.Load(); user != nil {
		out.User = []byte(*user)
	}
	out.Traffic, out.Data = s.g.data.snapshot(&s.data, s.open)
	if r := s.transfer.Load(); r != nil {
		out.Transfer = &RunningSnapshot{TransferSnapshot: r.Snapshot(), Began: r.began}
		if r.data != nil {
			out.Transfer.Pinhole = r.data.ID
		}
	}
	return out
}

func (h *half) snapshot() HalfSnapshot {
	return HalfSnapshot{
		Read: slices.Clone(h.in.unread()), ReadUrgent: h.in.urgent, Ended: h.in.ended, Over: h.over,
		Unwritten: slices.Clone(h.out), UnwrittenMark: h.urgent,
	}
}

// snapshot writes down a session's data connections: the latest, and those
// that are open.
func (t *dataTable) snapshot(of *sessionData, open []*dataConn) (Traffic, []DataSnapshot) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []DataSnapshot
	all := slices.Clone(of.latest)
	for _, d := range open {
		if !slices.Contains(all, d) {
			all = append([]*dataConn{d}, all...)
		}
	}
	for _, d := range all {
		// What is relayed stays with this process to its end; its pinhole does not.
		out = append(out, DataSnapshot{
			Expectation: d.Expectation, Announcement: d.announcement, Leased: d.leased, Opened: d.opened, State: d.state,
			Command: d.command, File: []byte(d.file), Traffic: d.traffic,
			Withdrawn: d.withdrawn, Released: d.released, Final: d.final || d.relay != nil,
		})
	}
	return of.total, out
}

func (h *history) snapshot() []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.held)
}
