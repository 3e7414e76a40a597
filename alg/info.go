package alg

import (
	"net/netip"
	"time"
)

// SessionInfo describes an open session.
type SessionInfo struct {
	Session  uint64         `json:"session"`
	Listener string         `json:"listener"`
	Client   netip.AddrPort `json:"client"`
	Reached  netip.AddrPort `json:"reached"`
	Seen     netip.AddrPort `json:"seen"`
	Server   netip.AddrPort `json:"server"`
	Started  time.Time      `json:"started"`
	Idle     float64        `json:"idle_seconds"`
	// State is "connecting", "readable", or "opaque" once the connection is
	// encrypted.
	State        string `json:"state"`
	Transferring bool   `json:"transferring"`
	Announced    uint64 `json:"announced"`
	Refused      uint64 `json:"refused"`
}

// info describes the session.
func (s *session) info() SessionInfo {
	i := SessionInfo{
		Session: s.number, Listener: s.service.Name,
		Client: s.ends.Client, Reached: s.ends.Reached, Server: s.ends.Server,
		State: "connecting", Started: s.started, Idle: time.Since(time.Unix(0, s.spoke.Load())).Seconds(),
		Transferring: s.transferring.Load(),
		Announced:    s.announced.Load(), Refused: s.refused.Load(),
	}
	if s.live.Load() {
		i.State, i.Seen = "readable", s.ends.Seen
	}
	if s.opaque.Load() {
		i.State = "opaque"
	}
	return i
}
