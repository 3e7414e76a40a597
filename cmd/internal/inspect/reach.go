package inspect

import (
	"net/netip"

	"ftpalg/alg/capture"
)

// reach says whether the other side can connect to an announced address.
type reach string

// The kinds of reach. The values are stable: JSON has them.
const (
	ownAddress     reach = "own"        // that of its control connection
	privateAddress reach = "private"    // of a private network that the other side is not in
	otherAddress   reach = "other"      // neither that nor private, or private and reached
	behindNAT      reach = "behind_nat" // that which it has on the other side of a NAT
	nowhere        reach = "nowhere"    // no host has it: unspecified, loopback, multicast
)

// reachOf compares what is announced with where its announcer is seen.
func reachOf(a *capture.Announcement) reach {
	said, own, peer := a.Said.Addr(), a.Announcer(), a.Peer()
	switch {
	case said == own:
		return ownAddress
	case isTwins(a):
		return behindNAT
	case said.IsUnspecified() || said.IsMulticast() || said.IsLoopback() && !own.IsLoopback():
		return nowhere
	case isPrivate(said) && !near(said, peer) && !reached(a):
		return privateAddress
	}
	return otherAddress
}

// isTwins reports whether the address is the announcer's as the capture shows
// it on the other side of a NAT.
func isTwins(a *capture.Announcement) bool {
	twin := a.Session.Twin
	if twin == nil {
		return false
	}
	if a.Mode.Passive() {
		return a.Said.Addr() == twin.Server.Addr()
	}
	return a.Said.Addr() == twin.Client.Addr()
}

// reached reports whether somebody did connect to the announced address.
func reached(a *capture.Announcement) bool {
	d, tried := a.Data()
	return tried && d.To == a.Said && (d.State == capture.Complete || d.State == capture.Opened || d.State == capture.Cut)
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
