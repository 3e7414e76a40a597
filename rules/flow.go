package rules

import (
	"encoding/binary"
	"net/netip"

	"golang.org/x/sys/unix"
)

// flow is what a message tells of a conntrack entry.
type flow struct {
	orig, reply tuple
	// id tells the entry from another that has the same tuple later.
	id   uint32
	mark uint32
	// tcp is the state of the connection; 0 where the message is silent.
	tcp uint8
	// expected says that it came through an expectation.
	expected bool
	// assured says that packets went both ways and the connection was
	// established.
	assured bool
	// bytes of both directions, with their IP headers, if counted is set.
	sent, received uint64
	counted        bool
}

// parseFlow reads the attributes of a ctnetlink message. What it does not
// know it leaves out; ok is false without both tuples.
func parseFlow(b []byte) (f flow, ok bool) {
	eachAttribute(b, func(kind uint16, v []byte) {
		switch kind {
		case ctaTupleOrig:
			f.orig = parseTuple(v)
		case ctaTupleReply:
			f.reply = parseTuple(v)
		case ctaMark:
			f.mark = number(v)
		case ctaID:
			f.id = number(v)
		case ctaStatus:
			f.expected = number(v)&statusExpected != 0
			f.assured = number(v)&statusAssured != 0
		case ctaProtoinfo:
			eachAttribute(inside(v, ctaProtoinfoTCP), func(kind uint16, v []byte) {
				if kind == ctaProtoinfoTCPState && len(v) > 0 {
					f.tcp = v[0]
				}
			})
		case ctaCountersOrig:
			f.sent, f.counted = bytesOf(v), true
		case ctaCountersReply:
			f.received, f.counted = bytesOf(v), true
		}
	})
	return f, f.orig.src.IsValid() && f.reply.src.IsValid()
}

// parseTuple reads a tuple of TCP. That of any other protocol is zero.
func parseTuple(b []byte) tuple {
	var src, dst netip.Addr
	eachAttribute(inside(b, ctaTupleIP), func(kind uint16, v []byte) {
		a, _ := netip.AddrFromSlice(v)
		switch kind {
		case ctaIPv4Src, ctaIPv6Src:
			src = a
		case ctaIPv4Dst, ctaIPv6Dst:
			dst = a
		}
	})
	var protocol byte
	var from, to uint16
	eachAttribute(inside(b, ctaTupleProto), func(kind uint16, v []byte) {
		switch {
		case kind == ctaProtoNum && len(v) == 1:
			protocol = v[0]
		case kind == ctaProtoSrcPort && len(v) == 2:
			from = binary.BigEndian.Uint16(v)
		case kind == ctaProtoDstPort && len(v) == 2:
			to = binary.BigEndian.Uint16(v)
		}
	})
	if protocol != unix.IPPROTO_TCP {
		return tuple{}
	}
	return tuple{netip.AddrPortFrom(src, from), netip.AddrPortFrom(dst, to)}
}

func bytesOf(counters []byte) uint64 {
	v := inside(counters, ctaCountersBytes)
	if len(v) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(v)
}

func number(v []byte) uint32 {
	if len(v) != 4 {
		return 0
	}
	return binary.BigEndian.Uint32(v)
}

// inside returns the value of the one attribute of a kind, nil if there is
// none.
func inside(b []byte, wanted uint16) []byte {
	var found []byte
	eachAttribute(b, func(kind uint16, v []byte) {
		if kind == wanted {
			found = v
		}
	})
	return found
}

// eachAttribute walks a sequence of attributes, up to the first that is not
// whole.
func eachAttribute(b []byte, do func(kind uint16, value []byte)) {
	for len(b) >= unix.NLA_HDRLEN {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.NLA_HDRLEN || n > len(b) {
			return
		}
		do(binary.NativeEndian.Uint16(b[2:])&^uint16(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER), b[unix.NLA_HDRLEN:n])
		padded := (n + unix.NLA_ALIGNTO - 1) &^ (unix.NLA_ALIGNTO - 1)
		b = b[min(padded, len(b)):]
	}
}
