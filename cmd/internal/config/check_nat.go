package config

import (
	"net/netip"
	"slices"
)

func (n *NAT) check(r *report, path string, data Data) {
	if !r.clean(path) {
		return
	}
	r.require(path+".local", "the address that the NAT translates")
	r.require(path+".public", "how that address is seen from beyond the NAT")
	if !sameFamily(n.Local, n.Public) {
		r.add(path+".public", "%s is %s, and local is %s", n.Public, family(n.Public), family(n.Local))
	}
	for i, p := range n.Except {
		if !sameFamily(n.Local, p.Addr()) {
			r.add(index(path+".except", i), "%s is %s, and local is %s", p, family(p.Addr()), family(n.Local))
		}
	}
	if n.Ports != nil {
		n.Ports.check(r, path+".ports", data)
	}
}

func (m *PortMap) check(r *report, path string, data Data) {
	if !r.clean(path) {
		return
	}
	local, public := path+".local", path+".public"
	r.require(local, "the ports that the NAT translates")
	r.require(public, "the ports they are seen as")
	if !r.clean(local, public) {
		return
	}
	if m.Local.Size() != m.Public.Size() {
		r.add(public, "%s holds %d ports, and local holds %d; each needs its own", m.Public, m.Public.Size(), m.Local.Size())
	}
	if !r.clean("data.passive_ports", "data.active_ports") {
		return
	}
	if !m.Local.Overlaps(data.PassivePorts) && !m.Local.Overlaps(data.ActivePorts) {
		r.add(local, "%s holds no port of data.passive_ports, %s, nor of data.active_ports, %s: nothing would be translated", m.Local, data.PassivePorts, data.ActivePorts)
	}
}

// checkMappings reports mappings that are never used, because every peer
// takes an earlier one of the same address.
func (c *Config) checkMappings(r *report) {
	for i, n := range c.NAT {
		for j, earlier := range c.NAT[:i] {
			if n.Local.IsValid() && n.Local == earlier.Local && n.hiddenBy(earlier) {
				r.add(index("nat", i)+".local", "%s is mapped by nat[%d] already, for every peer that this could serve", n.Local, j)
				break
			}
		}
	}
}

// hiddenBy reports whether every peer that earlier leaves over is excepted
// here too.
func (n *NAT) hiddenBy(earlier NAT) bool {
	for _, left := range earlier.Except {
		covered := slices.ContainsFunc(n.Except, func(p netip.Prefix) bool {
			return p.Bits() <= left.Bits() && p.Overlaps(left)
		})
		if !covered {
			return false
		}
	}
	return true
}
