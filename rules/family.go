package rules

import (
	"fmt"
	"net/netip"
)

// Family is the address family that one of the tools speaks.
type Family uint8

// The two families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// String returns "IPv4" or "IPv6".
func (f Family) String() string { return fmt.Sprintf("IPv%d", uint8(f)) }

// tool returns the name of the family's program: iptables(8), ip6tables(8).
func (f Family) tool() string {
	if f == IPv6 {
		return "ip6tables"
	}
	return "iptables"
}

// has reports whether the address belongs to the family.
func (f Family) has(a netip.Addr) bool { return a.IsValid() && familyOf(a) == f }

// loopback is where the family's transparent listeners are.
func (f Family) loopback() netip.Addr {
	if f == IPv6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

func familyOf(a netip.Addr) Family {
	if a.Unmap().Is4() {
		return IPv4
	}
	return IPv6
}
