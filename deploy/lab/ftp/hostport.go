package ftp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// formatSix returns an IPv4 address and port as PORT and 227 write them:
// h1,h2,h3,h4,p1,p2 (RFC 959 section 4.1.2).
func formatSix(a netip.AddrPort) string {
	return fmt.Sprintf("%s,%d,%d", strings.ReplaceAll(a.Addr().String(), ".", ","), a.Port()>>8, a.Port()&0xff)
}

// parseSix reads six numbers separated by commas.
func parseSix(s string) (netip.AddrPort, error) {
	fields := strings.Split(s, ",")
	if len(fields) != 6 {
		return netip.AddrPort{}, fmt.Errorf("host-port %q: want six numbers", s)
	}
	var numbers [6]byte
	for i, field := range fields {
		n, err := strconv.ParseUint(field, 10, 8)
		if err != nil {
			return netip.AddrPort{}, fmt.Errorf("host-port %q: %w", s, err)
		}
		numbers[i] = byte(n)
	}
	port := uint16(numbers[4])<<8 | uint16(numbers[5])
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(numbers[:4])), port), nil
}

// formatExtended returns an address and port as EPRT writes them:
// |1|192.0.2.1|6275| or |2|2001:db8::1|6275| (RFC 2428 section 2).
func formatExtended(a netip.AddrPort) string {
	family := 1
	if a.Addr().Is6() {
		family = 2
	}
	return fmt.Sprintf("|%d|%s|%d|", family, a.Addr(), a.Port())
}

// parseExtended reads the argument of EPRT, or of a 229 reply, where family
// and address are empty and the result's address is invalid. The delimiter is
// the first character.
func parseExtended(s string) (netip.AddrPort, error) {
	if s == "" {
		return netip.AddrPort{}, fmt.Errorf("extended host-port is empty")
	}
	fields := strings.Split(s, s[:1])
	if len(fields) != 5 || fields[4] != "" {
		return netip.AddrPort{}, fmt.Errorf("extended host-port %q: want three fields", s)
	}
	port, err := strconv.ParseUint(fields[3], 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("extended host-port %q: %w", s, err)
	}
	if fields[1] == "" && fields[2] == "" {
		return netip.AddrPortFrom(netip.Addr{}, uint16(port)), nil
	}
	addr, err := netip.ParseAddr(fields[2])
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("extended host-port %q: %w", s, err)
	}
	if families := (map[string]bool{"1": addr.Is4(), "2": addr.Is6()}); !families[fields[1]] {
		return netip.AddrPort{}, fmt.Errorf("extended host-port %q: family and address differ", s)
	}
	return netip.AddrPortFrom(addr, uint16(port)), nil
}

// addrPort returns the address and port of a socket's end, an IPv4 address in
// its own form even on an IPv6 socket.
func addrPort(s fmt.Stringer) netip.AddrPort {
	a, err := netip.ParseAddrPort(s.String())
	if err != nil {
		return netip.AddrPort{} // no TCP socket; it equals no peer
	}
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// network returns the name of TCP over the address's family.
func network(a netip.Addr) string {
	if a.Is4() {
		return "tcp4"
	}
	return "tcp6"
}
