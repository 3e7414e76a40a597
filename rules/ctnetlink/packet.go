package ctnetlink

import (
	"encoding/binary"
	"ftpalg/rules/rule"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Tuple is one direction of a TCP connection as connection tracking knows
// it.
type Tuple struct{ Src, Dst netip.AddrPort }

// Packet is a sequence of ctnetlink messages under construction, to be sent
// with one system call. It appends to one buffer, so that a packet which is
// used again allocates nothing. Values are in network byte order, headers in
// the machine's (linux/netlink.h, linux/netfilter/nfnetlink.h).
type Packet struct {
	bytes []byte
	// last is where the last message begins.
	last int
	// before is the number of the last message of the packet before this
	// one, and count that of the last one in it. Numbers go on from packet to
	// packet, so that a late answer is known as such.
	before, count uint32
}

// headerLength is that of struct nlmsghdr and struct nfgenmsg, in bytes.
const headerLength = unix.NLMSG_HDRLEN + 4

// Reset empties the packet.
func (p *Packet) Reset() { p.bytes, p.last, p.before = p.bytes[:0], 0, p.count }

// Message appends a message whose attributes the function appends, and
// returns its number.
func (p *Packet) Message(kind uint16, flags uint16, f rule.Family, attributes func()) uint32 {
	p.last = len(p.bytes)
	p.count++
	var header [headerLength]byte
	binary.NativeEndian.PutUint16(header[4:], kind)
	binary.NativeEndian.PutUint16(header[6:], unix.NLM_F_REQUEST|flags)
	binary.NativeEndian.PutUint32(header[8:], p.count)
	header[unix.NLMSG_HDRLEN] = protocolOf(f)
	p.bytes = append(p.bytes, header[:]...)
	attributes()
	binary.NativeEndian.PutUint32(p.bytes[p.last:], uint32(len(p.bytes)-p.last))
	return p.count
}

// Last returns the number of the last message.
func (p *Packet) Last() uint32 { return p.count }

// acknowledge has the kernel confirm the last message. It takes messages in
// order, and reports each that fails whether it is asked to or not.
func (p *Packet) acknowledge() {
	flags := binary.NativeEndian.Uint16(p.bytes[p.last+6:])
	binary.NativeEndian.PutUint16(p.bytes[p.last+6:], flags|unix.NLM_F_ACK)
}

// attribute appends an attribute whose value the function appends, padded to
// four bytes.
func (p *Packet) attribute(kind uint16, value func()) {
	start := len(p.bytes)
	p.bytes = binary.NativeEndian.AppendUint16(p.bytes, 0)
	p.bytes = binary.NativeEndian.AppendUint16(p.bytes, kind)
	value()
	binary.NativeEndian.PutUint16(p.bytes[start:], uint16(len(p.bytes)-start))
	for len(p.bytes)%unix.NLA_ALIGNTO != 0 {
		p.bytes = append(p.bytes, 0)
	}
}

func (p *Packet) Nested(kind uint16, inner func()) { p.attribute(kind|unix.NLA_F_NESTED, inner) }

func (p *Packet) uint8(kind uint16, v uint8) {
	p.attribute(kind, func() { p.bytes = append(p.bytes, v) })
}

func (p *Packet) uint16(kind uint16, v uint16) {
	p.attribute(kind, func() { p.bytes = binary.BigEndian.AppendUint16(p.bytes, v) })
}

func (p *Packet) Uint32(kind uint16, v uint32) {
	p.attribute(kind, func() { p.bytes = binary.BigEndian.AppendUint32(p.bytes, v) })
}

// Text appends a string with the NUL byte that the kernel insists on.
func (p *Packet) Text(kind uint16, s string) {
	p.attribute(kind, func() { p.bytes = append(append(p.bytes, s...), 0) })
}

func (p *Packet) address(v4, v6 uint16, a netip.Addr) {
	if a.Is4() {
		p.attribute(v4, func() { b := a.As4(); p.bytes = append(p.bytes, b[:]...) })
		return
	}
	p.attribute(v6, func() { b := a.As16(); p.bytes = append(p.bytes, b[:]...) })
}

func (p *Packet) Tuple(kind uint16, t Tuple) {
	p.Nested(kind, func() {
		p.Nested(ctaTupleIP, func() {
			p.address(ctaIPv4Src, ctaIPv6Src, t.Src.Addr())
			p.address(ctaIPv4Dst, ctaIPv6Dst, t.Dst.Addr())
		})
		p.Nested(ctaTupleProto, func() {
			p.uint8(ctaProtoNum, unix.IPPROTO_TCP)
			p.uint16(ctaProtoSrcPort, t.Src.Port())
			p.uint16(ctaProtoDstPort, t.Dst.Port())
		})
	})
}
