package capture

import (
	"encoding/binary"
	"net/netip"

	"github.com/google/gopacket/layers"
)

// icmpv4 notes that a segment could not be delivered (RFC 792).
func (d *decoder) icmpv4(l *layers.ICMPv4, quoted []byte) {
	if l.TypeCode.Type() != layers.ICMPv4TypeDestinationUnreachable {
		return
	}
	why := "unreachable"
	switch l.TypeCode.Code() {
	case layers.ICMPv4CodeNet, layers.ICMPv4CodeNetUnknown:
		why = "on a network that cannot be reached"
	case layers.ICMPv4CodeHost, layers.ICMPv4CodeHostUnknown:
		why = "a host that cannot be reached"
	case layers.ICMPv4CodeProtocol, layers.ICMPv4CodePort:
		why = "a port that nobody listens at"
	case layers.ICMPv4CodeFragmentationNeeded:
		return // of a packet that is too long, not of a connection
	case layers.ICMPv4CodeNetAdminProhibited, layers.ICMPv4CodeHostAdminProhibited, layers.ICMPv4CodeCommAdminProhibited:
		why = "prohibited by a firewall"
	}
	if len(quoted) < 20 || quoted[0]>>4 != 4 || quoted[9] != byte(layers.IPProtocolTCP) {
		return
	}
	src, dst := netip.AddrFrom4([4]byte(quoted[12:16])), netip.AddrFrom4([4]byte(quoted[16:20]))
	d.quoted(src, dst, quoted[min(int(quoted[0]&15)*4, len(quoted)):], why)
}

// icmpv6 notes that a segment could not be delivered (RFC 4443 section 3.1).
func (d *decoder) icmpv6(l *layers.ICMPv6, body []byte) {
	if l.TypeCode.Type() != layers.ICMPv6TypeDestinationUnreachable || len(body) < 4+40 {
		return
	}
	why := "a host that cannot be reached"
	switch l.TypeCode.Code() {
	case layers.ICMPv6CodeNoRouteToDst:
		why = "on a network that cannot be reached"
	case layers.ICMPv6CodeAdminProhibited, 5, 6:
		why = "prohibited by a firewall"
	case layers.ICMPv6CodePortUnreachable:
		why = "a port that nobody listens at"
	}
	quoted := body[4:]
	if quoted[0]>>4 != 6 || quoted[6] != byte(layers.IPProtocolTCP) {
		return
	}
	src, dst := netip.AddrFrom16([16]byte(quoted[8:24])), netip.AddrFrom16([16]byte(quoted[24:40]))
	d.quoted(src, dst, quoted[40:], why)
}

// quoted notes an unreachable, given the addresses and the TCP header that it
// quotes.
func (d *decoder) quoted(src, dst netip.Addr, tcp []byte, why string) {
	if len(tcp) < 4 {
		return
	}
	d.found = unreachable{
		frame: d.frame.Number, from: d.src, why: why,
		src: netip.AddrPortFrom(src, binary.BigEndian.Uint16(tcp)),
		dst: netip.AddrPortFrom(dst, binary.BigEndian.Uint16(tcp[2:])),
	}
}
