package alg

import (
	"net/netip"
	"time"

	"ftpalg/alg/expect"
)

// SessionInfo describes a session.
type SessionInfo struct {
	Session  uint64         `json:"session"`
	Listener string         `json:"listener"`
	Client   netip.AddrPort `json:"client"`
	Reached  netip.AddrPort `json:"reached"`
	Seen     netip.AddrPort `json:"seen"`
	Server   netip.AddrPort `json:"server"`
	// User is the name that the client gave last, in any bytes.
	User    string    `json:"user,omitempty"`
	Started time.Time `json:"started"`
	Idle    float64   `json:"idle_seconds"`
	// State is "connecting", "readable", or "opaque" once the connection is
	// encrypted.
	State        string `json:"state"`
	Transferring bool   `json:"transferring"`
	// TLS is that of the client's control connection where the gateway is its
	// end, ServerTLS that of the server's; nil for none.
	TLS       *TLSInfo `json:"tls,omitempty"`
	ServerTLS *TLSInfo `json:"server_tls,omitempty"`
	// Transfer is the one that runs.
	Transfer  *RunningTransfer `json:"transfer,omitempty"`
	Announced uint64           `json:"announced"`
	Refused   uint64           `json:"refused"`
	// Transfers counts those that have ended.
	Transfers   uint64 `json:"transfers"`
	ClientLines uint64 `json:"client_lines"`
	ServerLines uint64 `json:"server_lines"`
	// Traffic is that of its data connections, as far as the kernel has told
	// by now.
	Traffic
}

// RunningTransfer describes a transfer that goes on.
type RunningTransfer struct {
	// Command is the verb, File what it names, in any bytes.
	Command string    `json:"command"`
	File    string    `json:"file,omitempty"`
	Began   time.Time `json:"began"`
	// Relayed says that it passes through this process.
	Relayed bool `json:"relayed,omitempty"`
}

// SessionDetail is what is known of one session.
type SessionDetail struct {
	SessionInfo
	// Dialogue is its end, oldest line first.
	Dialogue []Line `json:"dialogue"`
	// Data are the latest data connections, oldest first.
	Data []DataConnection `json:"data"`
}

// Session describes the session with this number, if it is open.
func (g *Gateway) Session(number uint64) (SessionDetail, bool) {
	s := g.session(number)
	if s == nil {
		return SessionDetail{}, false
	}
	return SessionDetail{SessionInfo: s.info(), Dialogue: s.history.lines(), Data: g.data.latest(&s.data)}, true
}

// Data describes the data connection of a pinhole, until the kernel has told
// its end.
func (g *Gateway) Data(id expect.ID) (DataConnection, bool) { return g.data.find(id) }

// Kill ends the session with this number and its relayed data connections, and
// reports whether there was one.
func (g *Gateway) Kill(number uint64) bool {
	s := g.session(number)
	if s == nil {
		return false
	}
	s.end(Killed, "421 The operator has ended this session.")
	g.data.cutSession(number)
	return true
}

func (g *Gateway) session(number uint64) *session {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.sessions[number]
}

// info describes the session.
func (s *session) info() SessionInfo {
	i := SessionInfo{
		Session: s.number, Listener: s.service.Name,
		Client: s.ends.Client, Reached: s.ends.Reached, Server: s.ends.Server,
		State: "connecting", Started: s.started, Idle: time.Since(time.Unix(0, s.spoke.Load())).Seconds(),
		Transferring: s.transferring.Load(),
		Announced:    s.announced.Load(), Refused: s.refused.Load(), Transfers: s.transfers.Load(),
		ClientLines: s.lines.client.Load(), ServerLines: s.lines.server.Load(),
		Traffic: s.g.data.sum(&s.data.total),
	}
	if c, ok := s.client.conn.(*securable); ok {
		i.TLS = c.info()
	}
	if s.live.Load() {
		if t, ok := s.server.conn.(*tlsConn); ok {
			i.ServerTLS = describeTLS(t.ConnectionState())
		}
		i.State, i.Seen = "readable", s.ends.Seen
	}
	if s.opaque.Load() {
		i.State = "opaque"
	}
	if user := s.user.Load(); user != nil {
		i.User = *user
	}
	if r := s.transfer.Load(); r != nil {
		i.Transfer = &RunningTransfer{Command: string(r.Verb), File: r.Name, Began: r.began, Relayed: r.data != nil && r.data.relay != nil}
	}
	return i
}
