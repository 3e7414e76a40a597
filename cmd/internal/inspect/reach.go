package inspect

import (
	"net/netip"

	"ftpalg/alg/capture"
)

// reach says whether the other side can connect to an announced address.
type reach string

// The kinds of reach. The values are stable: JSON has them.
const (
	ownAddress     reach = "own"     // that of its control connection
	privateAddress reach = "private" // of a private network that the other side is not in
	otherAddress   reach = "other"   // neither that nor private
	nowhere        reach = "nowhere" // no host has it: unspecified, loopback, multicast
)

// reachOf compares what is announced with where its announcer is seen.
func reachOf(a *capture.Announcement) reach {
	said, own, peer := a.Said.Addr(), a.Announcer(), a.Peer()
	switch {
	case said == own:
		return ownAddress
	case said.IsUnspecified() || said.IsMulticast() || said.IsLoopback() && !own.IsLoopback():
		return nowhere
	case isPrivate(said) && !near(said, peer):
		return privateAddress
	}
	return otherAddress
}

// carrier is the space that providers use behind their own NAT (RFC 6598).
var carrier = netip.MustParsePrefix("100.64.0.0/10")

// isPrivate reports whether an address means nothing outside of its network
// (RFC 1918, RFC 6598, RFC 3927, RFC 4193).
func isPrivate(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLinkLocalUnicast() || carrier.Contains(a)
}

// near reports whether a host at peer may be in the network of a private
// address: it has an address of the same kind itself.
func near(private, peer netip.Addr) bool {
	if !isPrivate(peer) || private.Is4() != peer.Is4() {
		return false
	}
	for _, bits := range []int{8, 12, 16} {
		p, err := private.Prefix(bits)
		if err == nil && p.Contains(peer) {
			return true
		}
	}
	return false
}
