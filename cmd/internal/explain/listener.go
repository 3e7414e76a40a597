package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"ftpalg/cmd/internal/config"
)

// listener says whether l takes the client, and what sessions it then has.
func (q Question) listener(c *config.Config, l *config.Listener) (Listener, error) {
	out := Listener{Name: l.Name, Sessions: []Session{}}
	var reached []netip.AddrPort
	if l.Transparent != nil {
		out.Why, out.NeedsServer = q.crosses(c, l.Transparent)
		if out.Why == "" {
			reached = []netip.AddrPort{q.Server}
			out.Why = "takes over connections to " + q.Server.String() + " that come in by " + l.Transparent.Interface
		}
	} else {
		reached, out.Why, out.NeedsServer = q.fronted(l)
		if len(reached) > 0 {
			out.Why = "takes connections to " + join(reached)
		}
	}
	out.Takes = len(reached) > 0
	for _, at := range reached {
		s, err := q.session(c, l, at)
		if err != nil {
			return Listener{}, err
		}
		out.Sessions = append(out.Sessions, s)
	}
	return out, nil
}

// fronted returns the addresses at which the client reaches a fronting
// listener, or why there is none.
func (q Question) fronted(l *config.Listener) (reached []netip.AddrPort, why string, needsServer bool) {
	for _, at := range l.Listen {
		switch {
		case at.Addr().Is4() != q.Client.Is4():
		case at == q.Server, !q.Server.IsValid() && !at.Addr().IsUnspecified():
			reached = append(reached, at)
		case at.Addr().IsUnspecified() && q.Server.Port() == at.Port():
			reached = append(reached, q.Server)
		case at.Addr().IsUnspecified() && !q.Server.IsValid():
			needsServer = true
		}
	}
	switch {
	case needsServer && len(reached) == 0:
		return nil, "listens on every address of the machine; give --server, the one that the client connects to", true
	case !slices.ContainsFunc(l.Listen, func(at netip.AddrPort) bool { return at.Addr().Is4() == q.Client.Is4() }):
		return nil, "does not take it: it has no " + family(q.Client) + " address", false
	}
	return reached, "does not take it: the client connects to " + q.Server.String() + ", the listener is at " + join(l.Listen), false
}

// crosses says why a transparent listener does not take the client's
// connection, "" if it does.
func (q Question) crosses(c *config.Config, t *config.Transparent) (why string, needsServer bool) {
	is4 := q.Client.Is4()
	switch {
	case !t.Serves(is4):
		return "does not take it: it serves no " + family(q.Client), false
	case q.Interface != "" && q.Interface != t.Interface:
		return fmt.Sprintf("does not take it: it takes over what comes in by %s, not by %s", t.Interface, q.Interface), false
	case !config.Within(q.Client, t.Clients):
		return fmt.Sprintf("does not take it: %s is in none of its clients' networks (%s)", q.Client, join(t.Clients)), false
	case !q.Server.IsValid():
		return "takes over what crosses the machine; give --server, the address that the client connects to", true
	case !slices.Contains(t.Ports, q.Server.Port()):
		return fmt.Sprintf("does not take it: port %d is not among its ports %d", q.Server.Port(), t.Ports), false
	case !config.Within(q.Server.Addr(), t.Servers):
		return fmt.Sprintf("does not take it: %s is in none of its servers' networks (%s)", q.Server.Addr(), join(t.Servers)), false
	case own(c, q.Server.Addr()):
		return fmt.Sprintf("does not take it: %s is an address of this machine, and those it leaves alone", q.Server.Addr()), false
	}
	return "", false
}

// own reports whether the configuration shows that the address is this
// machine's.
func own(c *config.Config, a netip.Addr) bool {
	return slices.ContainsFunc(c.Listeners, func(l config.Listener) bool {
		return slices.ContainsFunc(l.Listen, func(at netip.AddrPort) bool { return at.Addr() == a })
	})
}

func family(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

func join[T fmt.Stringer](all []T) string { return strings.Join(words(all), ", ") }

func words[T fmt.Stringer](all []T) []string {
	out := make([]string, len(all))
	for i, one := range all {
		out[i] = one.String()
	}
	return out
}
