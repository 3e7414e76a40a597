// Package admin is the gateway's local window: a Unix socket that speaks HTTP
// and JSON, and the client for it that the sub-commands use.
package admin

import (
	"net/netip"

	"ftpalg/cmd/internal/api"
)

// Source is what the window shows. Its methods are safe for concurrent use.
type Source interface {
	Status() api.Status
	Sessions() []api.Session
	Pinholes() []api.Pinhole
	// Session describes one session; false says that there is none of this
	// number.
	Session(number uint64) (api.SessionDetail, bool)
	// Kill ends one session, with its data connections; false says that
	// there is none of this number.
	Kill(number uint64) bool
	// TakeSessions says whether new sessions are taken.
	TakeSessions(yes bool)
	// Bans lists the clients that are turned away; LiftBan ends a ban, false
	// says that there is none.
	Bans() []api.Ban
	LiftBan(client netip.Addr) bool
	// Reload reads the configuration again and returns why it was not taken.
	Reload() error
	// Upgrade has the program that is installed now take over the sessions, and
	// returns why it has not. With ifReplaced it is Reload where the running
	// program is the one that is installed.
	Upgrade(ifReplaced bool) error
}
