// package rule says which rules a gateway needs, as values: where each stands,
// what it matches, what becomes of the packet, and what the rule is for. How a
// packet filter is told of them is another's matter; nothing here knows a
// tool.
package rule

import (
	"fmt"
	"net/netip"
)

// Family is the address family that a rule is for.
type Family uint8

// The two families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// String returns "IPv4" or "IPv6".
func (f Family) String() string { return fmt.Sprintf("IPv%d", uint8(f)) }

// Has reports whether the address belongs to the family.
func (f Family) Has(a netip.Addr) bool { return a.IsValid() && FamilyOf(a) == f }

// loopback is where the family's transparent listeners are.
func (f Family) loopback() netip.Addr {
	if f == IPv6 {
		return netip.IPv6Loopback()
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// FamilyOf returns the family of an address; IPv4 for an IPv4-mapped one.
func FamilyOf(a netip.Addr) Family {
	if a.Unmap().Is4() {
		return IPv4
	}
	return IPv6
}

// Rule is one rule for TCP.
type Rule struct {
	Hook    Hook
	Matches []Match
	Verdict Verdict
	// Tag says what the rule is for. With the Hook it names the rule: no two
	// rules of a gateway have both in common, and two that have do the same.
	Tag string
}

// Hook is where in a packet's way a rule stands.
type Hook uint8

// The hooks that rules of ours stand at.
const (
	// MarkPrerouting is the first that every packet passes.
	MarkPrerouting Hook = iota + 1
	NATPrerouting
	FilterInput
	NATInput
	FilterForward
	FilterOutput
	NATPostrouting
)
