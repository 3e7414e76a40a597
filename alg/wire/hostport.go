package wire

import (
	"net/netip"
	"strconv"
)

// HostPort is where a line says that its sender awaits a data connection.
type HostPort struct {
	// Addr is the address as the line has it; the zero Addr for a 229.
	Addr netip.Addr
	// Port is 1 to 65535.
	Port uint16
	// Span is where it stands in the line: from the first digit to the last;
	// for a 229 the digits of the port.
	Span Span

	form form
}

// form is how a host-port is written.
type form uint8

const (
	sixNumbers form = iota + 1
	fullExtended
	portOnly
)

// Append appends line to dst, with the host-port in it changed to to and every
// other byte as it was, blanks between six numbers included. The line must be
// the one that h was parsed from.
//
// The six numbers of PORT and 227 cannot hold an IPv6 address: such a to is
// the caller's mistake and panics. EPRT takes either family, 229 only the port.
func (h HostPort) Append(dst, line []byte, to netip.AddrPort) []byte {
	addr := to.Addr().Unmap().WithZone("")
	dst = append(dst, line[:h.Span.Start]...)
	switch h.form {
	case sixNumbers:
		dst = appendSix(dst, h.Span.In(line), addr.As4(), to.Port())
	case fullExtended:
		dst = appendExtended(dst, line[h.Span.Start-1], addr, to.Port())
	case portOnly:
		dst = strconv.AppendUint(dst, uint64(to.Port()), 10)
	}
	return append(dst, line[h.Span.End:]...)
}

// PlainReply returns the usual reply that announces a host-port which was read
// from a 227 or 229 (RFC 959 section 5.4, RFC 2428 section 3), with its line
// end, and the host-port as it stands there.
func (h HostPort) PlainReply() (line []byte, at HostPort) {
	text, end := "227 Entering Passive Mode (", ").\r\n"
	if h.form == portOnly {
		text, end = "229 Entering Extended Passive Mode (|||", "|)\r\n"
	}
	line, at = []byte(text), h
	if h.form == portOnly {
		line = strconv.AppendUint(line, uint64(h.Port), 10)
	} else {
		line = appendSix(line, []byte("0,0,0,0,0,0"), h.Addr.As4(), h.Port)
	}
	at.Span = Span{len(text), len(line)}
	return append(line, end...), at
}

// appendSix appends the host-port old with other numbers in the place of its
// own, and with its commas and blanks.
func appendSix(dst, old []byte, addr [4]byte, port uint16) []byte {
	numbers := [6]byte{addr[0], addr[1], addr[2], addr[3], byte(port >> 8), byte(port)}
	at := 0
	for _, number := range numbers {
		digit := nextDigit(old, at, len(old))
		dst = append(dst, old[at:digit]...)
		dst = strconv.AppendUint(dst, uint64(number), 10)
		at = skipDigits(old, digit, len(old))
	}
	return dst
}

// appendExtended appends family, address and port with delimiters between.
func appendExtended(dst []byte, delimiter byte, addr netip.Addr, port uint16) []byte {
	family := byte(familyIPv6)
	if addr.Is4() {
		family = familyIPv4
	}
	dst = append(dst, family, delimiter)
	dst = addr.AppendTo(dst)
	dst = append(dst, delimiter)
	return strconv.AppendUint(dst, uint64(port), 10)
}
