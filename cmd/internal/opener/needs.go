package opener

import (
	"net/netip"
	"slices"

	"ftpalg/cmd/internal/config"
	"ftpalg/rules"
)

// The configuration in the words of package rules.

// needs says what the control connections of one listener need of netfilter.
// Port4 and port6 are those of a transparent listener's sockets.
func needs(l *config.Listener, port4, port6 uint16) rules.Static {
	foreign := l.Source.Kind != config.SourceGateway
	if l.Transparent == nil {
		var s rules.Static
		for _, a := range l.Listen {
			s.Services = append(s.Services, rules.Service{Name: l.Name, Address: a})
		}
		if a := l.TLS.ACME; a != nil {
			for _, at := range include(include(nil, a.HTTP), a.TLS) {
				s.Services = append(s.Services, rules.Service{Name: l.Name, Address: at})
			}
		}
		if l.ServerName != "" {
			return withNamed(l, s, foreign)
		}
		for _, a := range l.Servers {
			s.Outbound = append(s.Outbound, rules.Outbound{Name: l.Name, Server: netip.PrefixFrom(a.Addr(), a.Addr().BitLen()), Ports: []uint16{a.Port()}, Transparent: foreign})
			s.Foreign4, s.Foreign6 = s.Foreign4 || foreign && a.Addr().Is4(), s.Foreign6 || foreign && a.Addr().Is6()
		}
		return s
	}
	t := l.Transparent
	s := rules.Static{Intercepts: []rules.Intercept{{
		Name: l.Name, Interface: t.Interface, Ports: t.Ports,
		Clients: t.Clients, Servers: t.Servers,
		Method: method(t.Method), Port4: port4, Port6: port6,
	}}, Foreign4: port4 != 0, Foreign6: port6 != 0} // the client sees the server's own address
	for _, server := range servers(t.Servers, port4 != 0, port6 != 0) {
		s.Outbound = append(s.Outbound, rules.Outbound{Name: l.Name, Server: server, Ports: t.Ports, Transparent: foreign})
	}
	return s
}

// withNamed adds what servers need whose addresses are a name's, and not known here.
func withNamed(l *config.Listener, s rules.Static, foreign bool) rules.Static {
	for _, any := range servers(nil, l.Reaches(netip.IPv4Unspecified()), l.Reaches(netip.IPv6Unspecified())) {
		s.Outbound = append(s.Outbound, rules.Outbound{Name: l.Name, Server: any, Ports: []uint16{l.ServerPort}, Transparent: foreign})
		s.Foreign4, s.Foreign6 = s.Foreign4 || foreign && any.Addr().Is4(), s.Foreign6 || foreign && any.Addr().Is6()
	}
	return s
}

// servers returns the prefixes of the servers of a transparent listener;
// without any, all of the families that it serves.
func servers(named []netip.Prefix, four, six bool) []netip.Prefix {
	if len(named) > 0 {
		return named
	}
	var all []netip.Prefix
	if four {
		all = append(all, netip.PrefixFrom(netip.IPv4Unspecified(), 0))
	}
	if six {
		all = append(all, netip.PrefixFrom(netip.IPv6Unspecified(), 0))
	}
	return all
}

func dataPath(p config.Path) rules.Path {
	switch p {
	case config.PathConntrack:
		return rules.Conntrack
	case config.PathIPTables:
		return rules.IPTables
	}
	return rules.Auto
}

func method(m config.Method) rules.Method {
	if m == config.MethodRedirect {
		return rules.REDIRECT
	}
	return rules.TPROXY
}

// withData adds what relayed data connections need.
func withData(c *config.Config, s rules.Static) rules.Static {
	s.Relayed = c.Data.Path == config.PathRelay || slices.ContainsFunc(c.Listeners, func(l config.Listener) bool { return l.Relays() })
	return s
}

func merge(all []rules.Static) (out rules.Static) {
	for _, s := range all {
		out.Services = append(out.Services, s.Services...)
		out.Intercepts = append(out.Intercepts, s.Intercepts...)
		out.Outbound = append(out.Outbound, s.Outbound...)
		out.Foreign4, out.Foreign6 = out.Foreign4 || s.Foreign4, out.Foreign6 || s.Foreign6
	}
	return out
}
