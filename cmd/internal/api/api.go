// Package api holds what a running gateway says of itself. The admin socket,
// the sub-commands that ask it, top, the status page and the metrics are all
// drawn from these values, so that one thing has one name everywhere.
package api

import (
	"net/netip"
	"time"

	"ftpalg/alg"
)

// Session describes an open session.
type Session = alg.SessionInfo

// SessionDetail describes one session with its dialogue and its data
// connections.
type SessionDetail = alg.SessionDetail

// Ban is a client that is turned away for a while.
type Ban = alg.Ban

// Status says whether the gateway serves, and how.
type Status struct {
	Version string `json:"version"`
	// Ready says that every listener is up and its rules are in place; Missing
	// says in words what is not.
	Ready   bool      `json:"ready"`
	Missing []string  `json:"missing,omitempty"`
	Started time.Time `json:"started"`
	Config  string    `json:"config"`
	// Path is the data path in force, Why the reason for it.
	Path      string   `json:"path"`
	Why       string   `json:"why"`
	Netfilter string   `json:"netfilter"`
	Listeners []string `json:"listeners"`
	// Certificates are those that listeners show to clients.
	Certificates []Certificate `json:"certificates,omitempty"`
	// Servers are those of the listeners that have several.
	Servers  []Server `json:"servers,omitempty"`
	Sessions int      `json:"sessions"`
	Pinholes int      `json:"pinholes"`
	// Ports is how far the data ports are used, Counters what was counted
	// since the start.
	Ports    alg.Ports    `json:"ports"`
	Counters alg.Counters `json:"counters"`
	// Reloaded is when the configuration in force was read; ReloadError is
	// why a later one was not taken.
	Reloaded    time.Time `json:"reloaded"`
	ReloadError string    `json:"reload_error,omitempty"`
}

// Server describes one of a listener's several servers.
type Server = alg.ServerInfo

// Certificate is one that a listener shows to clients whose TLS ends at the
// gateway.
type Certificate struct {
	Listener string `json:"listener"`
	// Names are those that it is for, Issuer who has signed it.
	Names  []string `json:"names"`
	Issuer string   `json:"issuer"`
	// NotAfter is when it ends.
	NotAfter time.Time `json:"not_after"`
}

// Pinhole is one promised data connection as `ftpalg pinholes` shows it.
type Pinhole struct {
	ID      uint64         `json:"id"`
	Session uint64         `json:"session"`
	Mode    string         `json:"mode"`
	From    netip.Addr     `json:"from"`
	Reached netip.AddrPort `json:"to"`
	Target  netip.AddrPort `json:"target"`
	Seen    netip.Addr     `json:"seen"`
	State   string         `json:"state"`
	Expires time.Time      `json:"expires"`
	// Command and File are those of the transfer that its connection carries.
	Command string `json:"command,omitempty"`
	File    string `json:"file,omitempty"`
	// Traffic is what it has carried.
	alg.Traffic
	// Rules are those of netfilter that admit it, as iptables -S prints them.
	Rules []string `json:"rules,omitempty"`
}

// Refusal is how often something was refused for one reason since the start.
type Refusal struct {
	Reason string `json:"reason"`
	Count  uint64 `json:"count"`
}
