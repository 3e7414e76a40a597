package ctnetlink

import (
	"encoding/binary"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Flow is what a message tells of a conntrack entry.
type Flow struct {
	Orig, Reply Tuple
	// ID tells the entry from another that has the same tuple later.
	ID   uint32
	Mark uint32
	// TCP is the state of the connection; 0 where the message is silent.
	TCP uint8
	// Expected says that it came through an expectation.
	Expected bool
	// Assured says that packets went both ways and the connection was
	// established.
	Assured bool
	// bytes of both directions, with their IP headers, if counted is set.
	Sent, Received uint64
	Counted        bool
	// Timeout is when the kernel will forget the entry, from now.
	Timeout time.Duration
}

// parseFlow reads the attributes of a ctnetlink message. What it does not
// know it leaves out; ok is false without both tuples.
func parseFlow(b []byte) (f Flow, ok bool) {
	eachAttribute(b, func(kind uint16, v []byte) {
		switch kind {
		case CTATupleOrig:
			f.Orig = parseTuple(v)
		case CTATupleReply:
			f.Reply = parseTuple(v)
		case CTAMark:
			f.Mark = number(v)
		case CTAID:
			f.ID = number(v)
		case CTAStatus:
			f.Expected = number(v)&statusExpected != 0
			f.Assured = number(v)&StatusAssured != 0
		case ctaProtoinfo:
			eachAttribute(inside(v, ctaProtoinfoTCP), func(kind uint16, v []byte) {
				if kind == ctaProtoinfoTCPState && len(v) > 0 {
					f.TCP = v[0]
				}
			})
		case ctaCountersOrig:
			f.Sent, f.Counted = bytesOf(v), true
		case CTATimeout:
			f.Timeout = time.Duration(number(v)) * time.Second
		case ctaCountersReply:
			f.Received, f.Counted = bytesOf(v), true
		}
	})
	return f, f.Orig.Src.IsValid() && f.Reply.Src.IsValid()
}

// Expected is what a message tells of an expectation.
type Expected struct {
	// Master is the original tuple of the entry that it hangs on, tuple that
	// of the connection that it admits, with 0 for any source port.
	Master, Tuple Tuple
	// Timeout is when the kernel will end it, from now.
	Timeout time.Duration
}

// parseExpected reads the attributes of a message about an expectation; ok is
// false without both tuples.
func parseExpected(b []byte) (x Expected, ok bool) {
	eachAttribute(b, func(kind uint16, v []byte) {
		switch kind {
		case CTAExpectMaster:
			x.Master = parseTuple(v)
		case CTAExpectTuple:
			x.Tuple = parseTuple(v)
		case CTAExpectTimeout:
			x.Timeout = time.Duration(number(v)) * time.Second
		}
	})
	return x, x.Master.Src.IsValid() && x.Tuple.Src.IsValid()
}

// parseTuple reads a tuple of TCP. That of any other protocol is zero.
func parseTuple(b []byte) Tuple {
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
		return Tuple{}
	}
	return Tuple{netip.AddrPortFrom(src, from), netip.AddrPortFrom(dst, to)}
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
