package rules

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// tuple is one direction of a TCP connection as connection tracking knows
// it.
type tuple struct{ src, dst netip.AddrPort }

// packet is a sequence of ctnetlink messages under construction, to be sent
// with one system call. It appends to one buffer, so that a packet which is
// used again allocates nothing. Values are in network byte order, headers in
// the machine's (linux/netlink.h, linux/netfilter/nfnetlink.h).
type packet struct {
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

// reset empties the packet.
func (p *packet) reset() { p.bytes, p.last, p.before = p.bytes[:0], 0, p.count }

// message appends a message whose attributes the function appends, and
// returns its number.
func (p *packet) message(kind uint16, flags uint16, f Family, attributes func()) uint32 {
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

// acknowledge has the kernel confirm the last message. It takes messages in
// order, and reports each that fails whether it is asked to or not.
func (p *packet) acknowledge() {
	flags := binary.NativeEndian.Uint16(p.bytes[p.last+6:])
	binary.NativeEndian.PutUint16(p.bytes[p.last+6:], flags|unix.NLM_F_ACK)
}

// attribute appends an attribute whose value the function appends, padded to
// four bytes.
func (p *packet) attribute(kind uint16, value func()) {
	start := len(p.bytes)
	p.bytes = binary.NativeEndian.AppendUint16(p.bytes, 0)
	p.bytes = binary.NativeEndian.AppendUint16(p.bytes, kind)
	value()
	binary.NativeEndian.PutUint16(p.bytes[start:], uint16(len(p.bytes)-start))
	for len(p.bytes)%unix.NLA_ALIGNTO != 0 {
		p.bytes = append(p.bytes, 0)
	}
}

func (p *packet) nested(kind uint16, inner func()) { p.attribute(kind|unix.NLA_F_NESTED, inner) }

func (p *packet) uint8(kind uint16, v uint8) {
	p.attribute(kind, func() { p.bytes = append(p.bytes, v) })
}

func (p *packet) uint16(kind uint16, v uint16) {
	p.attribute(kind, func() { p.bytes = binary.BigEndian.AppendUint16(p.bytes, v) })
}

func (p *packet) uint32(kind uint16, v uint32) {
	p.attribute(kind, func() { p.bytes = binary.BigEndian.AppendUint32(p.bytes, v) })
}

// text appends a string with the NUL byte that the kernel insists on.
func (p *packet) text(kind uint16, s string) {
	p.attribute(kind, func() { p.bytes = append(append(p.bytes, s...), 0) })
}

func (p *packet) address(v4, v6 uint16, a netip.Addr) {
	if a.Is4() {
		p.attribute(v4, func() { b := a.As4(); p.bytes = append(p.bytes, b[:]...) })
		return
	}
	p.attribute(v6, func() { b := a.As16(); p.bytes = append(p.bytes, b[:]...) })
}

func (p *packet) tuple(kind uint16, t tuple) {
	p.nested(kind, func() {
		p.nested(ctaTupleIP, func() {
			p.address(ctaIPv4Src, ctaIPv6Src, t.src.Addr())
			p.address(ctaIPv4Dst, ctaIPv6Dst, t.dst.Addr())
		})
		p.nested(ctaTupleProto, func() {
			p.uint8(ctaProtoNum, unix.IPPROTO_TCP)
			p.uint16(ctaProtoSrcPort, t.src.Port())
			p.uint16(ctaProtoDstPort, t.dst.Port())
		})
	})
}
