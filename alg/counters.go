package alg

import (
	"sync/atomic"

	"ftpalg/alg/nat"
)

// Counters are what is counted and not told, since the gateway began.
type Counters struct {
	// ClientLines and ServerLines are the lines that came from either side.
	ClientLines uint64 `json:"client_lines"`
	ServerLines uint64 `json:"server_lines"`
	// Announced counts the announcements whose data connection was opened, Refused the
	// lines that were kept from the other side, Transfers those that have
	// ended, TurnedAway the connections that did not become sessions.
	Announced  uint64 `json:"announced"`
	Refused    uint64 `json:"refused"`
	Transfers  uint64 `json:"transfers"`
	TurnedAway uint64 `json:"turned_away"`
	// Truncated counts relayed data connections under TLS that ended without
	// a close_notify.
	Truncated uint64 `json:"truncated"`
	// Traffic is that of the data connections, as far as the kernel has told
	// by now.
	Traffic
}

// lineCounts are the lines of one session.
type lineCounts struct{ client, server atomic.Uint64 }

// add takes a session's counts in.
func (c *Counters) addSession(s *session) {
	c.Announced += s.announced.Load()
	c.Refused += s.refused.Load()
	c.Transfers += s.transfers.Load()
	c.ClientLines += s.lines.client.Load()
	c.ServerLines += s.lines.server.Load()
}

// Counters returns what was counted so far. None of them ever falls.
func (g *Gateway) Counters() Counters {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.ended
	for _, s := range g.sessions {
		c.addSession(s)
	}
	c.TurnedAway, c.Truncated = g.rejected.Load(), g.data.truncated.Load()
	c.Traffic = g.data.sum(&g.data.total)
	return c
}

// Ports is how far the data ports are used.
type Ports struct {
	Passive nat.Level `json:"passive"`
	Active  nat.Level `json:"active"`
}

// Ports returns how far the configured ranges are used.
func (g *Gateway) Ports() Ports {
	s, pool := g.settings.Load(), g.data.pool
	return Ports{Passive: pool.Level(s.PassivePorts), Active: pool.Level(s.ActivePorts)}
}
