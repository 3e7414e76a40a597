package config

import (
	"net/netip"
	"slices"
)

// Listener is one way in for control connections: either Listen and Servers,
// or Transparent.
type Listener struct {
	// Name is unique among the listeners.
	Name string
	// Listen holds the addresses at which clients reach the Servers.
	Listen []netip.AddrPort
	// Servers are those among which Balance chooses for each session, all of
	// one address family. Balance is empty where there is one.
	Servers []netip.AddrPort
	Balance Balance
	// Transparent is nil where Listen and Servers are set.
	Transparent *Transparent
	Source      Source
	TLS         TLS
	ServerTLS   ServerTLS
	// ThirdParty lets PORT and EPRT name a host other than the client.
	ThirdParty bool
	// Modes are the ways to announce a data connection that are allowed.
	Modes Modes
	// Commands is the set of commands that pass, Deny further ones that do
	// not, in upper case: a verb, or SITE with a subcommand.
	Commands Commands
	Deny     []string
	// Users are those who may log in.
	Users Users
	// Refusal is what a client is told that may not do something; empty for
	// the default.
	Refusal string
}

// Balance says which of several servers a session gets.
type Balance string

// The ways to choose a server.
const (
	BalanceRoundRobin    Balance = "round-robin"
	BalanceLeastSessions Balance = "least-sessions"
	BalanceSource        Balance = "source"
)

// Converts reports whether clients and servers are of different address
// families.
func (l *Listener) Converts() bool {
	return slices.ContainsFunc(l.Listen, func(at netip.AddrPort) bool { return at.Addr().Is4() != l.Servers[0].Addr().Is4() })
}

// Relays reports whether data must pass through the gateway, whatever data.path
// says: it is under TLS, or between address families.
func (l *Listener) Relays() bool {
	return l.TLS.Mode.EndsHere() || l.ServerTLS.Mode != ServerTLSOff || l.Converts()
}

// Modes says who may open data connections.
type Modes string

// The modes: with ModesActive the server opens them (PORT, EPRT), with
// ModesPassive the client (PASV, EPSV).
const (
	ModesAny     Modes = "any"
	ModesActive  Modes = "active"
	ModesPassive Modes = "passive"
)

// Commands is a ready-made set of commands.
type Commands string

// The sets of commands.
const (
	CommandsAll        Commands = "all"
	CommandsReadOnly   Commands = "read-only"
	CommandsUploadOnly Commands = "upload-only"
)

// Users is a set of user names; those of UsersAnonymous are of RFC 1635.
type Users string

// The sets of users.
const (
	UsersAny       Users = "any"
	UsersAnonymous Users = "anonymous"
	UsersNamed     Users = "named"
)

// Transparent takes over the control connections that cross this machine.
type Transparent struct {
	// Interface is where the clients are.
	Interface string
	// Ports are the servers' control ports.
	Ports []uint16
	// Clients and Servers bound whose connections are taken; nil means any.
	Clients, Servers []netip.Prefix
	Method           Method
}

// Method is how the kernel hands over a connection that crosses the machine.
type Method string

// The methods: TPROXY keeps the original destination as the socket's own
// address, REDIRECT translates it (manual page iptables-extensions(8)).
const (
	MethodTPROXY   Method = "tproxy"
	MethodRedirect Method = "redirect"
)

// Source is the address from which the server sees a session come.
type Source struct {
	Kind SourceKind
	// Addr is set for SourceAddress only.
	Addr netip.Addr
}

// SourceKind says whose address a Source is.
type SourceKind uint8

// The kinds of Source.
const (
	SourceGateway SourceKind = iota // the address the kernel chooses
	SourceClient                    // the client's own
	SourceAddress                   // a given one
)

// newListener returns a listener with its defaults.
func newListener() Listener {
	return Listener{Source: Source{Kind: SourceGateway}, TLS: newTLS(), ServerTLS: newServerTLS(), Modes: ModesAny, Commands: CommandsAll, Users: UsersAny}
}

// newTransparent returns the defaults of a transparent listener.
func newTransparent() Transparent {
	return Transparent{Ports: []uint16{21}, Method: MethodTPROXY}
}
