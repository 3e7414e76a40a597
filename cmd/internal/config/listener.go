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
	// ServerName stands in the place of Servers: the addresses that the name has
	// at the time, all at ServerPort; empty for none.
	ServerName string
	ServerPort uint16
	// Transparent is nil where Listen and Servers are set.
	Transparent *Transparent
	Source      Source
	TLS         TLS
	ServerTLS   ServerTLS
	// ProxyProtocol is nil where it is not spoken.
	ProxyProtocol *ProxyProtocol
	// Convert says how the server's side of a data connection is made, whatever
	// the client asks for.
	Convert Convert
	// Policy is what clients may do, but for those that one of Policies
	// covers.
	Policy
	Policies []PolicyFor
}

// PolicyOf returns the policy of a session between two hosts: the first of
// Policies that covers both, or else the listener's own.
func (l *Listener) PolicyOf(client, server netip.Addr) *Policy {
	for i := range l.Policies {
		if p := &l.Policies[i]; p.covers(client, server) {
			return &p.Policy
		}
	}
	return &l.Policy
}

// Balance says which of several servers a session gets.
type Balance string

// The ways to choose a server.
const (
	BalanceRoundRobin    Balance = "round-robin"
	BalanceLeastSessions Balance = "least-sessions"
	BalanceSource        Balance = "source"
)

// Convert says how the server's side of data connections is made.
type Convert string

// The ways: as the client asks, by the gateway connecting to the server, or by
// the server connecting to the gateway.
const (
	ConvertOff     Convert = "off"
	ConvertPassive Convert = "passive"
	ConvertActive  Convert = "active"
)

// MayServe reports whether a session of the listener may have this server. Of the
// addresses that a name has, those of the machine itself and of many hosts are
// none.
func (l *Listener) MayServe(a netip.AddrPort) bool {
	if l.ServerName == "" {
		return slices.Contains(l.Servers, a)
	}
	return a.Port() == l.ServerPort && a.Addr().IsGlobalUnicast() && l.Reaches(a.Addr())
}

// Reaches reports whether a server may be of the address's family: where it sees
// the client's address, or a given one, it must be of that.
func (l *Listener) Reaches(a netip.Addr) bool {
	switch l.Source.Kind {
	case SourceClient:
		return slices.ContainsFunc(l.Listen, func(at netip.AddrPort) bool { return at.Addr().Is4() == a.Is4() })
	case SourceAddress:
		return sameFamily(l.Source.Addr, a)
	}
	return true
}

// HasServers reports whether the listener may have several servers at one time.
func (l *Listener) HasServers() bool { return len(l.Servers) > 1 || l.ServerName != "" }

// Converts reports whether clients and servers are of different address
// families.
func (l *Listener) Converts() bool {
	return len(l.Servers) > 0 && slices.ContainsFunc(l.Listen, func(at netip.AddrPort) bool { return at.Addr().Is4() != l.Servers[0].Addr().Is4() })
}

// Relays reports whether data must pass through the gateway, whatever data.path
// says: it is under TLS, between address families, or
// converted.
func (l *Listener) Relays() bool {
	return l.TLS.Mode.EndsHere() || l.ServerTLS.Mode != ServerTLSOff || l.Converts() || l.Convert != ConvertOff ||
		l.ProxyProtocol != nil && len(l.ProxyProtocol.Accept) > 0 && l.ProxyProtocol.Data
}

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
	return Listener{Source: Source{Kind: SourceGateway}, TLS: newTLS(), ServerTLS: newServerTLS(), Convert: ConvertOff, Policy: newPolicy()}
}

// newTransparent returns the defaults of a transparent listener.
func newTransparent() Transparent {
	return Transparent{Ports: []uint16{21}, Method: MethodTPROXY}
}
