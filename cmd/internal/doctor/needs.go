package doctor

import (
	"net/netip"
	"slices"

	"ftpalg/cmd/internal/config"
)

// wants is what a configuration asks of the machine for one address family.
type wants struct {
	six bool
	// listens are the fronting listeners' addresses, services the control
	// ports that clients connect to, here or at a server beyond.
	listens  []netip.AddrPort
	services []uint16
	servers  []netip.AddrPort
	// intercepts are the transparent listeners.
	intercepts []*config.Listener
	// foreign says that sockets here have other hosts' addresses (TPROXY, a
	// source that is not the gateway's); asClient names the listeners with
	// `source: client`.
	foreign  bool
	asClient []*config.Listener
	// tproxy and redirect are the methods of interception in use.
	tproxy, redirect bool
}

// doesWithout reports whether the family is served without netfilter, too.
func (w wants) doesWithout(c *config.Config) bool {
	return c.Data.Path == config.PathRelay && len(w.intercepts) == 0 && !w.foreign
}

// any reports whether the family is in use at all.
func (w wants) any() bool { return len(w.listens)+len(w.intercepts) > 0 }

// name is how the family is called.
func (w wants) name() string {
	if w.six {
		return "IPv6"
	}
	return "IPv4"
}

// id returns a check's name for the family.
func (w wants) id(check string) string {
	if w.six {
		return check + "-ipv6"
	}
	return check + "-ipv4"
}

// wanted returns what c asks for of each family that it uses. Without any
// listener it is IPv4 in general.
func wanted(c *config.Config) (out []wants) {
	if len(c.Listeners) == 0 {
		return []wants{{}}
	}
	for _, six := range []bool{false, true} {
		w := wants{six: six}
		for i := range c.Listeners {
			w.add(&c.Listeners[i])
		}
		if w.any() {
			slices.Sort(w.services)
			w.services = slices.Compact(w.services)
			out = append(out, w)
		}
	}
	return out
}

func (w *wants) add(l *config.Listener) {
	if t := l.Transparent; t != nil {
		if !t.Serves(!w.six) {
			return
		}
		w.intercepts = append(w.intercepts, l)
		w.services = append(w.services, t.Ports...)
		w.tproxy = w.tproxy || t.Method == config.MethodTPROXY
		w.redirect = w.redirect || t.Method == config.MethodRedirect
		w.foreign = w.foreign || t.Method == config.MethodTPROXY
	} else {
		of := func(a netip.AddrPort) bool { return a.Addr().Is6() == w.six }
		if !slices.ContainsFunc(l.Servers, of) && !slices.ContainsFunc(l.Listen, of) {
			return
		}
		for _, a := range l.Servers {
			if of(a) {
				w.servers = append(w.servers, a)
			}
		}
		for _, a := range l.Listen {
			if of(a) {
				w.listens = append(w.listens, a)
				w.services = append(w.services, a.Port())
			}
		}
	}
	w.foreign = w.foreign || l.Source.Kind != config.SourceGateway
	if l.Source.Kind == config.SourceClient {
		w.asClient = append(w.asClient, l)
	}
}

// ports returns the ranges in which the gateway promises ports.
func ports(c *config.Config) []config.PortRange {
	return []config.PortRange{c.Data.PassivePorts, c.Data.ActivePorts}
}

// joined returns the ranges as one where they touch.
func joined(ranges []config.PortRange) []config.PortRange {
	if a, b := ranges[0], ranges[1]; int(a.Last)+1 == int(b.First) {
		return []config.PortRange{{First: a.First, Last: b.Last}}
	}
	return ranges
}
