package capturetest

import "encoding/binary"

// Link is a link layer that a capture can have.
type Link struct {
	Name string
	// Type is its number (https://www.tcpdump.org/linktypes.html).
	Type uint16
	// Frame puts an IP packet into a frame.
	Frame func(ip []byte) []byte
}

// The link layers.
var (
	Ethernet = Link{"Ethernet", 1, func(ip []byte) []byte { return ethernet(ip) }}
	Raw      = Link{"raw IP", 101, func(ip []byte) []byte { return ip }}
)

// Links lists the link layers that a reader must know.
var Links = []Link{
	Ethernet, Raw,
	{"VLAN", 1, func(ip []byte) []byte { return ethernet(ip, 0x8100, 7) }},
	{"QinQ", 1, func(ip []byte) []byte { return ethernet(ip, 0x88a8, 100, 0x8100, 7) }},
	{"old QinQ", 1, func(ip []byte) []byte { return ethernet(ip, 0x9100, 100, 0x8100, 7) }},
	{"MPLS", 1, func(ip []byte) []byte {
		return append(append(macs(), 0x88, 0x47, 0, 1, 0x01, 64), ip...) // label 16, bottom of stack
	}},
	{"PPPoE", 1, func(ip []byte) []byte { return append(append(macs(), 0x88, 0x64), pppoe(ip)...) }},
	{"PPPoE alone", 51, pppoe},
	{"PPP", 9, func(ip []byte) []byte { return append(ppp(ip), ip...) }},
	{"PPP in HDLC", 50, func(ip []byte) []byte { return append(append([]byte{0xff, 3}, ppp(ip)...), ip...) }},
	{"Cisco HDLC", 104, func(ip []byte) []byte { return append(put16([]byte{0x0f, 0}, etherType(ip)), ip...) }},
	{"SLL", 113, func(ip []byte) []byte {
		head := append([]byte{0, 0, 0, 1, 0, 6}, 2, 0, 0, 0, 0, 1, 0, 0)
		return append(put16(head, etherType(ip)), ip...)
	}},
	{"SLL2", 276, func(ip []byte) []byte {
		head := append(put16(nil, etherType(ip)), 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0)
		return append(head, ip...)
	}},
	{"null", 0, func(ip []byte) []byte { return append([]byte{family(ip), 0, 0, 0}, ip...) }},
	{"null, other byte order", 0, func(ip []byte) []byte { return append([]byte{0, 0, 0, family(ip)}, ip...) }},
	{"loop", 108, func(ip []byte) []byte { return append([]byte{0, 0, 0, family(ip)}, ip...) }},
	{"raw IP of BSD", 12, func(ip []byte) []byte { return ip }},
	{"raw IP of OpenBSD", 14, func(ip []byte) []byte { return ip }},
	{"802.11", 105, dot11},
	{"802.11 with QoS", 105, dot11QoS},
	{"radiotap", 127, func(ip []byte) []byte { return append([]byte{0, 0, 8, 0, 0, 0, 0, 0}, dot11(ip)...) }},
	{"NFLOG", 239, func(ip []byte) []byte {
		b := []byte{2, 0, 0, 0, 8, 0, 1, 0, 8, 0, 0, 3}
		b = binary.LittleEndian.AppendUint16(b, uint16(len(ip)+4))
		return append(append(b, 9, 0), ip...)
	}},
	{"PPI", 192, func(ip []byte) []byte { return append([]byte{0, 0, 8, 0, 1, 0, 0, 0}, ethernet(ip)...) }},
}

func macs() []byte { return []byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2} }

// ethernet puts ip into an Ethernet frame with tags, each a type and an
// identifier, padded to the least length that Ethernet has.
func ethernet(ip []byte, tags ...uint16) []byte {
	b := macs()
	for _, v := range tags {
		b = put16(b, v)
	}
	b = append(put16(b, etherType(ip)), ip...)
	for len(b) < 60 {
		b = append(b, 0)
	}
	return b
}

func etherType(ip []byte) uint16 {
	if ip[0]>>4 == 6 {
		return 0x86dd
	}
	return 0x0800
}

// family is the AF_INET6 of FreeBSD or the AF_INET of all.
func family(ip []byte) byte {
	if ip[0]>>4 == 6 {
		return 28
	}
	return 2
}

func ppp(ip []byte) []byte {
	if ip[0]>>4 == 6 {
		return []byte{0, 0x57}
	}
	return []byte{0, 0x21}
}

func pppoe(ip []byte) []byte {
	b := put16([]byte{0x11, 0, 0, 9}, uint16(len(ip)+2))
	return append(append(b, ppp(ip)...), ip...)
}

// dot11 is a data frame without check sequence.
func dot11(ip []byte) []byte {
	b := append([]byte{0x08, 0x02, 0, 0}, append(macs(), 2, 0, 0, 0, 0, 3, 0x10, 0)...)
	return append(append(b, snap(ip)...), ip...)
}

// dot11QoS is a data frame with a quality of service field and a check
// sequence.
func dot11QoS(ip []byte) []byte {
	b := append([]byte{0x88, 0x01, 0, 0}, append(macs(), 2, 0, 0, 0, 0, 3, 0x10, 0, 0, 0)...)
	return append(append(append(b, snap(ip)...), ip...), 1, 2, 3, 4)
}

func snap(ip []byte) []byte { return put16([]byte{0xaa, 0xaa, 3, 0, 0, 0}, etherType(ip)) }

func put16(b []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(b, v) }
