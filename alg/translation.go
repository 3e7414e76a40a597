package alg

import (
	"fmt"
	"net/netip"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
)

// Endpoints are the addresses of a session's two control connections.
type Endpoints struct {
	Client  netip.AddrPort // the client, as we see it
	Reached netip.AddrPort // where the client thinks the server is
	Seen    netip.AddrPort // where the server thinks the client is
	Server  netip.AddrPort // the server, as we reach it
	// Balancer is what stands between and has named the client, as we see it, and
	// Local where it has reached us; the zero AddrPort for nobody.
	Balancer, Local netip.AddrPort
	// OwnsReached and OwnsSeen say that these are the gateway's own
	// addresses: ports there come from our ranges. Elsewhere the port is the
	// announcing side's own.
	OwnsReached, OwnsSeen bool
}

// local is where the client's connections arrive at this machine.
func (e *Endpoints) local() netip.Addr {
	if e.Balancer.IsValid() {
		return e.Local.Addr()
	}
	return e.Reached.Addr()
}

// Convert reports whether client and server are of different address families.
func (e *Endpoints) Convert() bool { return e.Client.Addr().Is4() != e.Server.Addr().Is4() }

// Endpoints returns the addresses of a session of svc with a client that
// reached it at reached. Seen has no port, which the kernel will choose; it is
// the zero AddrPort if the kernel will choose the address too.
func (s *Service) Endpoints(client, reached netip.AddrPort) Endpoints {
	e := Endpoints{
		Client: client, Reached: reached, Server: s.Server,
		OwnsReached: !s.transparent(), OwnsSeen: !s.Source.Client,
	}
	if s.transparent() {
		e.Server = reached
	}
	switch {
	case s.Source.Client:
		e.Seen = netip.AddrPortFrom(client.Addr(), 0)
	case s.Source.Addr.IsValid():
		e.Seen = netip.AddrPortFrom(s.Source.Addr, 0)
	}
	return e
}

// Translation is what an announcement becomes on the other side: the address
// and port that the other side is told, and where the kernel must send the
// connection that arrives there.
type Translation struct {
	Mode expect.Mode
	// From is the host that is told, and the only one that may connect.
	From netip.Addr
	// Reached is the address to which it connects, as its packets arrive at
	// this machine: invalid if the kernel has yet to choose that address.
	Reached netip.Addr
	// Target is where the connection must be sent, Seen the source address
	// that the target must see.
	Target netip.AddrPort
	Seen   netip.Addr
	// Leased says that the port at Reached comes from Ports; otherwise it is
	// the Target's.
	Leased bool
	Ports  nat.Range
	// View is how From sees Reached.
	View nat.View
}

// Translate maps an announcement of a session with these endpoints. It takes
// no port: the caller chooses the one at Reached where it is leased. The error
// is nat.ErrUnresolved if a public address is not known yet.
func Translate(e Endpoints, a *dialogue.Announcement, s *Settings) (Translation, error) {
	t := Translation{
		Mode: a.Mode, Target: a.At, From: e.Server.Addr(), Seen: e.local(),
		Reached: e.Seen.Addr(), Leased: e.OwnsSeen, Ports: s.ActivePorts,
	}
	if a.Mode.Passive() {
		t.From, t.Seen = e.Client.Addr(), e.Seen.Addr()
		t.Reached, t.Leased, t.Ports = e.Reached.Addr(), e.OwnsReached, s.PassivePorts
	}
	if !t.Leased {
		t.Reached = a.At.Addr() // a third party's or a member's, where the policy allows one
		t.View, t.Ports = nat.View{Addr: t.Reached}, nat.Range{}
		return t, nil
	}
	if a.Mode.Passive() && e.Balancer.IsValid() {
		// The client is told what it has reached itself; the balancer comes in its place.
		t.From, t.Reached, t.View = e.Balancer.Addr(), e.local(), nat.View{Addr: e.Reached.Addr()}
		return t, nil
	}
	view, err := s.NAT.See(t.Reached, t.From)
	if err != nil {
		return t, fmt.Errorf("map %s for %s: %w", t.Reached, t.From, err)
	}
	t.View = view
	return t, nil
}

// Port returns the port at Reached when leased is the one that was leased.
func (t Translation) Port(leased uint16) uint16 {
	if t.Leased {
		return leased
	}
	return t.Target.Port()
}

// Text returns the host-port that From is told when leased is the port that
// was leased.
func (t Translation) Text(leased uint16) netip.AddrPort {
	public, _ := t.View.Port(t.Port(leased))
	return netip.AddrPortFrom(t.View.Addr, public)
}

// Expectation returns what the kernel must admit when leased is the port that
// was leased. It lacks the ID, the session and the deadline.
func (t Translation) Expectation(leased uint16) expect.Expectation {
	return expect.Expectation{
		Mode: t.Mode, From: t.From, Reached: netip.AddrPortFrom(t.Reached, t.Port(leased)), Target: t.Target, Seen: t.Seen,
	}
}
