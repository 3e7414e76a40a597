package config

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// endpoint is an IP address with a port; usual is the port to propose where
// it is missing.
func endpoint(usual string) codec[netip.AddrPort] {
	parse := func(text string) (netip.AddrPort, error) {
		host, port, err := splitEndpoint(text, usual)
		if err != nil {
			return netip.AddrPort{}, err
		}
		return joinEndpoint(text, host, port)
	}
	return codec[netip.AddrPort]{parse, formatValid[netip.AddrPort], described("an IP address with a port, such as 203.0.113.1:" + usual + " or [2001:db8::1]:" + usual)}
}

// splitEndpoint returns the parts of text, and says how to write one that has
// not both.
func splitEndpoint(text, usual string) (host, port string, err error) {
	if a, err := netip.ParseAddr(unbracketed(text)); err == nil {
		whole := net.JoinHostPort(a.Unmap().WithZone("").String(), usual)
		return "", "", fmt.Errorf("%s has no port; write %s", quote(text), whole)
	}
	if isName(text) {
		return "", "", notAddress(text, text)
	}
	host, port, err = net.SplitHostPort(text)
	if err != nil || host == "" {
		return "", "", fmt.Errorf("%s is not an address with a port like 203.0.113.1:%s or [2001:db8::1]:%[2]s", quote(text), usual)
	}
	return host, port, nil
}

// unbracketed returns an IPv6 address without its brackets, anything else as
// it is.
func unbracketed(text string) string {
	if strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]") {
		return text[1 : len(text)-1]
	}
	return text
}

// joinEndpoint parses the parts of text.
func joinEndpoint(text, host, port string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.AddrPort{}, notAddress(text, host)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return netip.AddrPort{}, fmt.Errorf("%s has no valid port: ports are 1 to 65535", quote(text))
	}
	if err := simple(text, a, netip.AddrPortFrom(a.Unmap(), uint16(n))); err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(a, uint16(n)), nil
}
