package load

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"
)

// formatSix writes a host-port as PORT and 227 have it (RFC 959 section
// 4.1.2).
func formatSix(at netip.AddrPort) string {
	a, p := at.Addr().As4(), at.Port()
	return fmt.Sprintf("%d,%d,%d,%d,%d,%d", a[0], a[1], a[2], a[3], p>>8, p&0xff)
}

// parseSix reads the six numbers behind the parenthesis of a 227, or of
// PORT's argument that begins with its first digit.
func parseSix(text []byte) (netip.AddrPort, error) {
	var numbers [6]byte
	rest := text[bytes.IndexByte(text, '(')+1:]
	for i := range numbers {
		var n int
		if n, rest = number(rest); n < 0 || n > 255 {
			return netip.AddrPort{}, fmt.Errorf("no host and port in %q", text)
		}
		numbers[i] = byte(n)
		rest = rest[min(1, len(rest)):]
	}
	port := uint16(numbers[4])<<8 | uint16(numbers[5])
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(numbers[:4])), port), nil
}

// parseExtended reads the port of a 229 (RFC 2428 section 3).
func parseExtended(text []byte, host netip.Addr) (netip.AddrPort, error) {
	_, rest, _ := bytes.Cut(text, []byte("|||"))
	port, _ := number(rest)
	if port <= 0 || port > 65535 {
		return netip.AddrPort{}, fmt.Errorf("no port in %q", text)
	}
	return netip.AddrPortFrom(host, uint16(port)), nil
}

// number returns the number at the beginning of text, -1 if there is none,
// and what follows.
func number(text []byte) (int, []byte) {
	end := 0
	for end < len(text) && text[end] >= '0' && text[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(string(text[:end]))
	if err != nil {
		return -1, text
	}
	return n, text[end:]
}

func localAddr(s socket) (netip.Addr, error) {
	bound, err := unix.Getsockname(int(s))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("getsockname: %w", err)
	}
	return netip.AddrFrom4(bound.(*unix.SockaddrInet4).Addr), nil
}
