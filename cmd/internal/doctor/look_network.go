package doctor

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"ftpalg/cmd/internal/config"
)

// network asks for interfaces, policy rules, and the way to every address of
// the configuration.
func (l *looker) network(c *config.Config) {
	var err error
	if l.facts.Links, err = l.Links(); err != nil {
		l.unseen("the interfaces", err)
	}
	if l.facts.PolicyRules, err = l.PolicyRules(); err != nil {
		l.unseen("the policy rules", err)
	}
	for _, a := range addressesOf(c) {
		r, err := l.Route(a)
		if err != nil {
			l.unseen("the way to "+a.String(), err)
			continue
		}
		l.facts.Routes[a] = r
	}
}

// addressesOf lists the addresses whose routes matter.
func addressesOf(c *config.Config) (out []netip.Addr) {
	add := func(a netip.Addr) {
		if a.IsValid() && !a.IsUnspecified() {
			out = append(out, a)
		}
	}
	for _, l := range c.Listeners {
		for _, a := range l.Listen {
			add(a.Addr())
		}
		for _, a := range l.Servers {
			add(a.Addr())
		}
		add(l.Source.Addr)
		if l.Transparent != nil {
			for _, p := range l.Transparent.Clients {
				add(sample(p))
			}
		}
	}
	for _, n := range c.NAT {
		add(n.Local)
		add(n.Public)
	}
	return out
}

func links() ([]Link, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	out := make([]Link, len(all))
	for i, n := range all {
		out[i] = Link{Name: n.Name, Up: n.Flags&net.FlagUp != 0}
		addrs, err := n.Addrs()
		if err != nil {
			return nil, fmt.Errorf("list addresses of %s: %w", n.Name, err)
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				out[i].Addresses = append(out[i].Addresses, p.Addr().Unmap().WithZone(""))
			}
		}
	}
	return out, nil
}

func route(a netip.Addr) (Route, error) {
	found, err := netlink.RouteGet(a.AsSlice())
	switch {
	case errors.Is(err, unix.ENETUNREACH), errors.Is(err, unix.EHOSTUNREACH), errors.Is(err, unix.EACCES), errors.Is(err, unix.EINVAL):
		return Route{}, nil // no route, or one that forbids or drops (ip-route(8))
	case err != nil:
		return Route{}, fmt.Errorf("route to %s: %w", a, err)
	case len(found) == 0:
		return Route{}, nil
	}
	link, err := net.InterfaceByIndex(found[0].LinkIndex)
	if err != nil {
		return Route{}, fmt.Errorf("route to %s: %w", a, err)
	}
	return Route{Device: link.Name, Local: found[0].Type == unix.RTN_LOCAL}, nil
}

func policyRules() (out []PolicyRule, err error) {
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		all, err := netlink.RuleList(family)
		if err != nil && !errors.Is(err, unix.EAFNOSUPPORT) && !errors.Is(err, unix.EOPNOTSUPP) {
			return nil, fmt.Errorf("list policy rules: %w", err)
		}
		for _, r := range all {
			p := PolicyRule{Six: family == netlink.FAMILY_V6, Priority: r.Priority, Table: r.Table, Mark: r.Mark,
				Selective: r.Src != nil || r.Dst != nil || r.IifName != "" || r.OifName != "" || r.Invert || r.IPProto != 0 ||
					r.Dport != nil || r.Sport != nil || r.UIDRange != nil || r.Tos != 0}
			if r.Mask != nil {
				p.Mask = *r.Mask
			}
			out = append(out, p)
		}
	}
	return out, nil
}
