package opener

import (
	"net/netip"

	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/config"
)

// asked is a promise that the worker asks for.
type asked struct {
	session uint64
	id      expect.ID
	mode    expect.Mode
	// target is where the connection is to be sent; of its address, only
	// that of a third party counts.
	target netip.AddrPort
	// port is the one that is promised.
	port uint16
	// relayed says that the worker carries the connection. Without a target both
	// hosts are promised one, where the listener has servers connect that their
	// clients ask to wait.
	relayed bool
}

// meets reports whether the gateway waits for both hosts.
func (a *asked) meets() bool { return a.relayed && !a.target.IsValid() }

// expectation returns what the kernel is to admit for the session, and whether
// the port is of our ranges, or why it must not. Both hosts are the session's own; only where the listener allows
// third parties may the target of a PORT or EPRT be another.
func (s *session) expectation(a asked) (e expect.Expectation, owned bool, err error) {
	e = expect.Expectation{ID: a.id, Session: s.number, Mode: a.mode, Target: a.target, Relayed: a.relayed}
	var told netip.Addr
	var within config.PortRange
	policy := s.listener.PolicyOf(s.client.Addr(), s.server.Addr())
	switch a.mode {
	case expect.PASV, expect.EPSV:
		e.From, e.Seen, told = s.comes(), s.seen.Addr(), s.reached.Addr()
		owned, within = s.listener.Transparent == nil, s.config.Data.PassivePorts
		if !a.meets() && a.target.Addr() != s.server.Addr() {
			if !policy.TakesData(a.target.Addr()) {
				return e, owned, errTargetHost
			}
			if !owned {
				told = a.target.Addr()
			}
		}
	case expect.PORT, expect.EPRT:
		e.From, e.Seen, told = s.server.Addr(), s.reached.Addr(), s.seen.Addr()
		owned, within = s.listener.Source.Kind != config.SourceClient, s.config.Data.ActivePorts
		if a.meets() {
			break
		}
		if a.target.Addr() != s.client.Addr() && !policy.ThirdParty {
			return e, owned, errTargetHost
		}
		if !owned {
			told = a.target.Addr()
		}
	default:
		return e, owned, errMode
	}
	if a.meets() {
		if s.listener.Convert != config.ConvertActive {
			return e, owned, errTargetHost
		}
		if a.port < within.First || a.port > within.Last {
			return e, owned, errRange
		}
		e.Reached = netip.AddrPortFrom(told, a.port)
		return e, owned, nil
	}
	if policy.Modes == config.ModesActive && a.mode.Passive() || policy.Modes == config.ModesPassive && !a.mode.Passive() {
		return e, owned, errMode
	}
	if a.target.Port() < max(lowestTarget, policy.LowestDataPort) {
		return e, owned, errTargetPort
	}
	if passed := s.listener.TLS.PassPorts; a.mode.Passive() && passed.Contains(a.port) && a.port == a.target.Port() {
		e.Reached = netip.AddrPortFrom(told, a.port)
		return e, false, nil // of the server's own ports, not of ours
	}
	if owned && (a.port < within.First || a.port > within.Last) || !owned && a.port != a.target.Port() {
		return e, owned, errRange
	}
	e.Reached = netip.AddrPortFrom(told, a.port)
	return e, owned, nil
}

// waitsFor returns the expectation by which a host of the session, the server in a
// passive mode and else the client, may wait at target for the gateway, or why it
// must not.
func (s *session) waitsFor(mode expect.Mode, target netip.AddrPort) (e expect.Expectation, err error) {
	e = expect.Expectation{Session: s.number, Mode: mode, Target: target, Relayed: true}
	policy := s.listener.PolicyOf(s.client.Addr(), s.server.Addr())
	var host netip.Addr
	var others bool // may be meant, too
	switch mode {
	case expect.PASV, expect.EPSV:
		host, e.Seen = s.server.Addr(), s.seen.Addr()
		others = policy.TakesData(target.Addr())
	case expect.PORT, expect.EPRT:
		host, e.Seen = s.client.Addr(), s.reached.Addr()
		others = policy.ThirdParty
	default:
		return e, errMode
	}
	switch {
	case s.listener.Convert != config.ConvertPassive:
		return e, errMode
	case target.Addr() != host && !others:
		return e, errTargetHost
	case target.Port() < max(lowestTarget, policy.LowestDataPort):
		return e, errTargetPort
	}
	return e, nil
}
