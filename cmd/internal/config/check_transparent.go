package config

import (
	"net/netip"
	"slices"
)

func (l *Listener) checkTransparent(r *report, listener string) {
	path := listener + ".transparent"
	t := l.Transparent
	r.require(path+".interface", "where the clients are")
	for i, port := range t.Ports {
		if port != 0 && slices.Contains(t.Ports[:i], port) {
			r.add(index(path+".ports", i), "%d is listed twice", port)
		}
	}
	families := t.families()
	if len(families) == 0 {
		r.add(path+".servers", "of another address family than every client: nothing would ever match")
		return
	}
	if a := l.Source.Addr; a.IsValid() && !slices.Contains(families, a.Is4()) {
		r.add(listener+".source", "%s is an %s address, and no session here is %[2]s", quote(l.Source.String()), family(a))
	}
}

// families returns for which address families there are both clients and
// servers: true for IPv4, false for IPv6.
func (t *Transparent) families() []bool {
	var families []bool
	for _, is4 := range []bool{true, false} {
		if t.Serves(is4) {
			families = append(families, is4)
		}
	}
	return families
}

// Serves reports whether there are clients and servers of the family, IPv4 if
// is4 is set, else IPv6.
func (t *Transparent) Serves(is4 bool) bool { return holds(t.Clients, is4) && holds(t.Servers, is4) }

// holds reports whether some network is of the family, or could not be read.
// No networks at all mean any.
func holds(networks []netip.Prefix, is4 bool) bool {
	return len(networks) == 0 || slices.ContainsFunc(networks, func(p netip.Prefix) bool {
		return !p.IsValid() || p.Addr().Is4() == is4
	})
}

// checkInterception reports transparent listeners between which a connection
// could belong to either.
func (c *Config) checkInterception(r *report) {
	for i, l := range c.Listeners {
		for j, earlier := range c.Listeners[:i] {
			if l.Transparent == nil || earlier.Transparent == nil {
				continue
			}
			port, shared := l.Transparent.shares(earlier.Transparent)
			if shared {
				r.add(index("listeners", i)+".transparent", "cannot be told apart from listeners[%d]: same interface %s, port %d, and some of the same clients and servers", j, l.Transparent.Interface, port)
				break
			}
		}
	}
}

// shares reports whether one connection could match both, and its port.
func (t *Transparent) shares(o *Transparent) (uint16, bool) {
	if t.Interface != o.Interface || t.Interface == "" {
		return 0, false
	}
	for _, port := range t.Ports {
		if port != 0 && slices.Contains(o.Ports, port) {
			return port, t.meets(o, true) || t.meets(o, false)
		}
	}
	return 0, false
}

// meets reports whether a connection of the family could match both.
func (t *Transparent) meets(o *Transparent, is4 bool) bool {
	return overlap(t.Clients, o.Clients, is4) && overlap(t.Servers, o.Servers, is4)
}

// overlap reports whether the networks share an address of the family. No
// networks at all mean any.
func overlap(a, b []netip.Prefix, is4 bool) bool {
	a, b = within(a, is4), within(b, is4)
	return slices.ContainsFunc(a, func(p netip.Prefix) bool {
		return slices.ContainsFunc(b, p.Overlaps)
	})
}

// within returns the networks of the family.
func within(networks []netip.Prefix, is4 bool) []netip.Prefix {
	if len(networks) == 0 {
		return []netip.Prefix{everything(is4)}
	}
	var same []netip.Prefix
	for _, p := range networks {
		if p.IsValid() && p.Addr().Is4() == is4 {
			same = append(same, p)
		}
	}
	return same
}

func everything(is4 bool) netip.Prefix {
	if is4 {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
}
