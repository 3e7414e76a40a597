package alg

import (
	"fmt"
	"slices"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/wire"
)

// Restore takes over what a predecessor has handed down: its sessions, parked,
// with their connections, which stand in the order of from.Sessions. The kernel
// must admit the open data connections already. Call it before Serve. The
// service of each session is that of its listener; a session whose listener
// has gone ends with Unpark. The error is a *VersionError; then nothing was taken.
func (g *Gateway) Restore(from Snapshot, connections []Connections, service func(listener string) (Service, bool)) error {
	if from.Version != SnapshotVersion {
		return &VersionError{from.Version}
	}
	if len(connections) != len(from.Sessions) {
		return fmt.Errorf("restore %d sessions: %d pairs of connections", len(from.Sessions), len(connections))
	}
	g.mu.Lock()
	g.next, g.ended, g.closed = from.LastSession, from.Counters, from.Closed
	g.rejected.Store(from.Counters.TurnedAway)
	g.data.truncated.Store(from.Counters.Truncated)
	g.mu.Unlock()
	g.data.restore(from)
	for _, b := range from.Bans {
		g.rates.ban(b.Client, b.Until)
	}
	for i := range from.Sessions {
		svc, ok := service(from.Sessions[i].Listener)
		s := g.restoreSession(&svc, &from.Sessions[i], connections[i])
		s.unserved = !ok
		g.parked = append(g.parked, s)
	}
	return nil
}

// restore makes the table and its pool what they were, without the data
// connections.
func (t *dataTable) restore(from Snapshot) {
	t.mu.Lock()
	t.lastID, t.total = from.LastPinhole, from.Counters.Traffic
	t.mu.Unlock()
	var leased []uint16
	for _, s := range from.Sessions {
		for _, d := range s.Data {
			if d.Leased != 0 && !d.Released {
				leased = append(leased, d.Leased)
			}
		}
	}
	t.pool.Restore(leased, from.Resting)
}

// restoreSession returns the session that was written down, at rest.
func (g *Gateway) restoreSession(svc *Service, from *SessionSnapshot, c Connections) *session {
	s := newSession(g, svc, Arrival{Conn: c.Client, Reached: from.Endpoints.Reached})
	s.number, s.ends, s.started, s.closeBy = from.Number, from.Endpoints, from.Started, from.CloseBy
	if s.member = svc.Servers.member(s.ends.Server); s.member != nil {
		s.member.sessions.Add(1)
	}
	s.prepareClientTLS()
	s.dialogue = dialogue.Restore(svc.PolicyOf(s.ends.Client.Addr(), s.ends.Server.Addr()), from.Dialogue)
	s.server = newHalf(c.Server, &wire.ReplySplitter{Max: replyLine}, replyLine)
	s.client.lines.(*wire.CommandSplitter).Restore(from.Commands)
	s.server.lines.(*wire.ReplySplitter).Restore(from.Replies)
	s.client.restore(from.Client)
	s.server.restore(from.Server)
	s.restoreCounts(from)
	s.open = g.data.restoreConns(&s.data, from)
	s.restoreTransfer(from.Transfer)
	s.history.restore(from.Started, from.History)
	g.mu.Lock()
	g.enter(s)
	g.mu.Unlock()
	s.goLive()
	s.client.conn.SetDeadline(time.Time{})
	s.server.conn.SetDeadline(time.Time{})
	s.client.conn.SetReadDeadline(s.closeBy)
	return s
}

// restoreCounts restores what others look at without mu.
func (s *session) restoreCounts(from *SessionSnapshot) {
	s.spoke.Store(from.Spoke.UnixNano())
	s.transferring.Store(s.dialogue.Transferring())
	s.commanded.Store(s.dialogue.Commanded())
	s.opaque.Store(s.dialogue.Opaque())
	s.halfOver.Store(from.Client.Over || from.Server.Over)
	s.hungUp.Store(from.Client.Over || from.Client.Ended)
	s.announced.Store(from.Announced)
	s.refused.Store(from.Refused)
	s.transfers.Store(from.Transfers)
	s.lines.client.Store(from.ClientLines)
	s.lines.server.Store(from.ServerLines)
	s.modes.bits.Store(from.Modes)
	if len(from.User) > 0 {
		s.user.Store(new(string(from.User)))
	}
}

// restoreTransfer restores the running transfer, which is the dialogue's own
// where that still follows it.
func (s *session) restoreTransfer(from *RunningSnapshot) {
	if from == nil {
		return
	}
	r := &runningTransfer{Transfer: from.TransferSnapshot.Restore(), began: from.Began}
	if t := s.dialogue.Begun(); t != nil && *t == *r.Transfer {
		r.Transfer = t
	}
	for _, d := range s.open {
		if d.ID == from.Pinhole {
			r.data = d
		}
	}
	s.transfer.Store(r)
}

func (h *half) restore(from HalfSnapshot) {
	if len(from.Read) > len(h.in.data) {
		h.in.data = make([]byte, max(h.in.max, len(from.Read)))
	}
	h.in.end = copy(h.in.data, from.Read)
	h.in.urgent, h.in.ended, h.over = from.ReadUrgent, from.Ended, from.Over
	h.out, h.urgent = slices.Clone(from.Unwritten), from.UnwrittenMark
}

// restoreConns restores a session's data connections and returns those that it
// has not released.
func (t *dataTable) restoreConns(of *sessionData, from *SessionSnapshot) (open []*dataConn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	of.total = from.Traffic
	for _, one := range from.Data {
		d := &dataConn{
			Expectation: one.Expectation, announcement: one.Announcement, leased: one.Leased, session: of,
			opened: one.Opened, state: one.State, command: one.Command, file: string(one.File), traffic: one.Traffic,
			withdrawn: one.Withdrawn, released: one.Released, final: one.Final,
		}
		if d.released && !d.final {
			d.awaitCount()
		}
		t.insert(d)
		if !d.released {
			open = append(open, d)
		}
	}
	return open
}

func (h *history) restore(began time.Time, held []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.began, h.held = began, held
}
