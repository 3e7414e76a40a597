package doctor

import (
	"net/netip"

	"ftpalg/cmd/internal/config"
)

// listenAddresses looks whether listeners are at addresses of this machine.
func listenAddresses(f *Facts, c *config.Config) (out []Finding) {
	const id = "listen-address"
	for _, w := range wanted(c) {
		for _, a := range w.listens {
			if a.Addr().IsUnspecified() || f.has(a.Addr()) {
				out = append(out, good(id, "%s is an address of this machine", a.Addr()))
				continue
			}
			out = append(out, problem(id, "%s is no address of this machine", a.Addr()).
				because("The gateway cannot listen there, and does not start. An address that comes late (VRRP, DHCP) is no fault.").
				by("ip address add %s dev %s", netip.PrefixFrom(a.Addr(), a.Addr().BitLen()), f.towards(a.Addr())))
		}
	}
	return out
}

// towards returns the interface on which an address would be found, lo if it
// would not.
func (f *Facts) towards(a netip.Addr) string {
	if r := f.Routes[a]; r.Device != "" {
		return r.Device
	}
	return "lo"
}

func natAddresses(f *Facts, c *config.Config) (out []Finding) {
	const id = "nat-local"
	for _, n := range c.NAT {
		switch {
		case !f.has(n.Local):
			out = append(out, problem(id, "nat.local %s is no address of this machine", n.Local).
				because("The mapping is never used: it maps what the gateway itself tells, which are addresses of its own.").
				by("ip address add %s dev %s", netip.PrefixFrom(n.Local, n.Local.BitLen()), f.towards(n.Local)))
		case n.Public.IsValid() && f.has(n.Public):
			out = append(out, warn(id, "nat.public %s is itself an address of this machine", n.Public).
				because("Then there is no further NAT in front of it, and listening there would need no mapping.").
				by("ip -brief address"))
		default:
			out = append(out, good(id, "nat.local %s is an address of this machine", n.Local))
		}
	}
	return out
}

// sourceAddresses looks at listeners whose sessions come from a given
// address. It may be foreign, but the answers have to find their way here.
func sourceAddresses(f *Facts, c *config.Config) (out []Finding) {
	const id = "source-address"
	for _, l := range c.Listeners {
		a := l.Source.Addr
		switch {
		case !a.IsValid():
		case f.has(a):
			out = append(out, good(id, "source %s is an address of this machine", a))
		default:
			out = append(out, warn(id, "source %s of listener %s is no address of this machine", a, l.Name).
				because("It works only if the servers send what is for that address to this machine.").
				by("ip address add %s dev %s", netip.PrefixFrom(a, a.BitLen()), f.towards(a)))
		}
	}
	return out
}

func interfaces(f *Facts, c *config.Config) (out []Finding) {
	const id = "interface"
	for _, l := range c.Listeners {
		if l.Transparent == nil {
			continue
		}
		name := l.Transparent.Interface
		switch link, there := f.link(name); {
		case !there:
			out = append(out, problem(id, "there is no interface %s", name).
				because("Listener "+l.Name+" takes over what comes in there: nothing.").by("ip -brief link"))
		case !link.Up:
			out = append(out, problem(id, "interface %s is down", name).
				because("Listener "+l.Name+" takes over what comes in there: nothing.").by("ip link set %s up", name))
		default:
			out = append(out, good(id, "interface %s is up", name))
		}
	}
	return out
}

func serverRoutes(f *Facts, c *config.Config) (out []Finding) {
	const id = "server-route"
	for _, w := range wanted(c) {
		for _, s := range w.servers {
			r, asked := f.Routes[s.Addr()]
			switch {
			case !asked:
			case r.Local:
				out = append(out, good(id, "server %s is this machine", s.Addr()))
			case r.Device == "":
				out = append(out, problem(id, "there is no route to server %s", s.Addr()).
					because("Its sessions get 421.").by("ip route add %s via ROUTER", s.Addr()))
			default:
				out = append(out, good(id, "server %s is reached by %s", s.Addr(), r.Device))
			}
		}
	}
	return out
}
