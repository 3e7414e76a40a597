// Package admin is the gateway's local window: a Unix socket that speaks HTTP
// and JSON, and the client for it that the sub-commands use.
package admin

import (
	"net/netip"
	"time"

	"ftpalg/alg"
)

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
	Sessions  int      `json:"sessions"`
	Pinholes  int      `json:"pinholes"`
	// Ports is how far the data ports are used, Counters what was counted
	// since the start.
	Ports    alg.Ports    `json:"ports"`
	Counters alg.Counters `json:"counters"`
	// Reloaded is when the configuration in force was read; ReloadError is
	// why a later one was not taken.
	Reloaded    time.Time `json:"reloaded"`
	ReloadError string    `json:"reload_error,omitempty"`
}

// Pinhole is one promised data connection as `ftpalg pinholes` shows it.
type Pinhole struct {
	ID      uint64         `json:"id"`
	Session uint64         `json:"session"`
	Mode    string         `json:"mode"`
	From    netip.Addr     `json:"from"`
	To      netip.AddrPort `json:"to"`
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

// Source is what the window shows. Its methods are safe for concurrent use.
type Source interface {
	Status() Status
	Sessions() []alg.SessionInfo
	Pinholes() []Pinhole
	// Session describes one session; false says that there is none of this
	// number.
	Session(number uint64) (alg.SessionDetail, bool)
	// Kill ends one session, with its data connections; false says that
	// there is none of this number.
	Kill(number uint64) bool
	// Reload reads the configuration again and returns why it was not taken.
	Reload() error
}
