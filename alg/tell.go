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
	// OwnsReached and OwnsSeen say that these are the gateway's own
	// addresses: ports there come from our ranges. Elsewhere the port is the
	// announcing side's own.
	OwnsReached, OwnsSeen bool
}

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

// Telling answers the two questions of an announcement: which address and
// port does the far side see, and where must the kernel send what arrives
// there.
type Telling struct {
	Mode expect.Mode
	// From is the host that is told, and the only one that may connect.
	From netip.Addr
	// Door is where it connects to, as its packets arrive at this machine:
	// invalid if that is an address which the kernel has yet to choose.
	Door netip.Addr
	// Target is where the connection must be sent, Seen the source address
	// that the target must see.
	Target netip.AddrPort
	Seen   netip.Addr
	// Leased says that the port at Door comes from Ports; otherwise it is the
	// Target's.
	Leased bool
	Ports  nat.Range
	// View is how From sees Door.
	View nat.View
}

// Tell maps an announcement of a session with these endpoints. It takes no
// port: the one at Door is the caller's choice where it is leased. The error
// is nat.ErrUnresolved if a public address is not known yet.
func Tell(e Endpoints, a *dialogue.Announcement, s *Settings) (Telling, error) {
	t := Telling{
		Mode: a.Mode, Target: a.At, From: e.Server.Addr(), Seen: e.Reached.Addr(),
		Door: e.Seen.Addr(), Leased: e.OwnsSeen, Ports: s.ActivePorts,
	}
	if a.Mode.Passive() {
		t.From, t.Seen = e.Client.Addr(), e.Seen.Addr()
		t.Door, t.Leased, t.Ports = e.Reached.Addr(), e.OwnsReached, s.PassivePorts
	}
	if !t.Leased {
		if !a.Mode.Passive() {
			t.Door = a.At.Addr() // a third party, where the policy allows one
		}
		t.View, t.Ports = nat.View{Addr: t.Door}, nat.Range{}
		return t, nil
	}
	view, err := s.NAT.See(t.Door, t.From)
	if err != nil {
		return t, fmt.Errorf("map %s for %s: %w", t.Door, t.From, err)
	}
	t.View = view
	return t, nil
}

// Told returns the host-port that From is told when port is the one at Door;
// without a lease that is the Target's, whatever port is.
func (t Telling) Told(port uint16) netip.AddrPort {
	if !t.Leased {
		port = t.Target.Port()
	}
	public, _ := t.View.Port(port)
	return netip.AddrPortFrom(t.View.Addr, public)
}
