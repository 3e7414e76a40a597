package page

import (
	"net/netip"
	"time"
)

// Source is what the page shows.
type Source interface {
	// Snapshot describes the gateway at this moment. It is called at most once
	// in Every, however many look, and never while nobody does.
	Snapshot() Snapshot
}

// Snapshot is the gateway at one moment.
type Snapshot struct {
	Taken   time.Time
	Version string
	Started time.Time
	// Ready says that the gateway serves; Missing, in words, what it lacks.
	Ready   bool
	Missing []string
	// Path is the data path in force, Why the reason for it.
	Path, Why string
	Listeners []string
	Sessions  []Session
	Pinholes  []Pinhole
	Pools     []Pool
	Refusals  []Refusal
	Traffic   Traffic
	// Uncounted says that the kernel does not count what data connections
	// carry.
	Uncounted bool
}

// Session is one open session.
type Session struct {
	Number   uint64         `json:"number"`
	Listener string         `json:"listener"`
	Client   netip.AddrPort `json:"client"`
	Server   netip.AddrPort `json:"server"`
	// State is "connecting", "readable" or "opaque".
	State string `json:"state"`
	// Idle is the time since either side last spoke, in seconds.
	Idle         float64 `json:"idle"`
	Transferring bool    `json:"transferring"`
	// Bytes is what the session's data connections carried so far, in both
	// directions.
	Bytes uint64 `json:"bytes"`
}

// Pinhole is one promised data connection.
type Pinhole struct {
	Session uint64         `json:"session"`
	Mode    string         `json:"mode"`
	From    netip.Addr     `json:"from"`
	To      netip.AddrPort `json:"to"`
	Target  netip.AddrPort `json:"target"`
	State   string         `json:"state"`
	Expires time.Time      `json:"expires"`
}

// Pool is a port pool: how many of its ports are promised, and how many rest
// after use.
type Pool struct {
	Name     string `json:"name"`
	Ports    int    `json:"ports"`
	Promised int    `json:"promised"`
	Resting  int    `json:"resting"`
}

// Refusal is how often something was refused for one reason.
type Refusal struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}
