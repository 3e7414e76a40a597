package capturetest

import (
	"encoding/binary"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// Wrap is another form that an IP packet can take on its way.
type Wrap struct {
	Name string
	Do   func(ip []byte) [][]byte
}

// Wraps lists the forms.
var Wraps = []Wrap{
	{"fragments", func(ip []byte) [][]byte { return fragments(ip, 16) }},
	{"fragments, last first", func(ip []byte) [][]byte {
		all := fragments(ip, 24)
		for i, j := 0, len(all)-1; i < j; i, j = i+1, j-1 {
			all[i], all[j] = all[j], all[i]
		}
		return all
	}},
	{"IP in IP", func(ip []byte) [][]byte { return [][]byte{outer(protocolOf(ip), ip)} }},
	{"GRE", func(ip []byte) [][]byte {
		return [][]byte{outer(layers.IPProtocolGRE, append(put16([]byte{0, 0}, etherType(ip)), ip...))}
	}},
	{"VXLAN", func(ip []byte) [][]byte {
		frame := ethernet(ip)
		udp := put16(put16(put16([]byte{0x30, 0x39}, 4789), uint16(len(frame)+16)), 0)
		return [][]byte{outer(layers.IPProtocolUDP, append(append(udp, 8, 0, 0, 0, 0, 0, 1, 0), frame...))}
	}},
	{"options and extension headers", func(ip []byte) [][]byte { return [][]byte{extended(ip)} }},
}

func protocolOf(ip []byte) layers.IPProtocol {
	if ip[0]>>4 == 6 {
		return layers.IPProtocolIPv6
	}
	return layers.IPProtocolIPv4
}

// outer puts a payload behind an IPv4 header of two tunnel ends.
func outer(p layers.IPProtocol, payload []byte) []byte {
	return serialize(ipHeader(netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), p, 1), gopacket.Payload(payload))
}

// fragments cuts a packet into fragments with size bytes of payload each.
func fragments(ip []byte, size int) (out [][]byte) {
	header, four := 40, ip[0]>>4 == 4
	if four {
		header = 20
	}
	head, body := ip[:header], ip[header:]
	id := binary.BigEndian.Uint32(body[4:]) // the sequence number tells packets apart
	for at := 0; at < len(body); at += size {
		part := body[at:min(at+size, len(body))]
		more := at+size < len(body)
		b := append([]byte(nil), head...)
		if four {
			binary.BigEndian.PutUint16(b[2:], uint16(header+len(part)))
			field := uint16(at / 8)
			if more {
				field |= 0x2000
			}
			binary.BigEndian.PutUint16(b[6:], field)
		} else {
			field := uint16(at)
			if more {
				field |= 1
			}
			b = append(b, b[6], 0)
			b = binary.BigEndian.AppendUint32(put16(b, field), id^uint32(len(body)))
			b[6] = byte(layers.IPProtocolIPv6Fragment)
			binary.BigEndian.PutUint16(b[4:], uint16(8+len(part)))
		}
		out = append(out, append(b, part...))
	}
	return out
}

// extended adds IPv4 options, or IPv6 hop-by-hop and destination options.
func extended(ip []byte) []byte {
	if ip[0]>>4 == 4 {
		b := append(append([]byte(nil), ip[:20]...), 1, 1, 1, 0)
		b[0] = 0x46
		binary.BigEndian.PutUint16(b[2:], uint16(len(ip)+4))
		return append(b, ip[20:]...)
	}
	b := append([]byte(nil), ip[:40]...)
	next := b[6]
	b[6] = 0 // hop-by-hop
	binary.BigEndian.PutUint16(b[4:], uint16(len(ip)-40+16))
	b = append(b, 60, 0, 1, 4, 0, 0, 0, 0)
	b = append(b, next, 0, 1, 4, 0, 0, 0, 0)
	return append(b, ip[40:]...)
}
