package config

import (
	"fmt"
	"net/netip"
)

// address is the IP address of one host.
func address() codec[netip.Addr] {
	return codec[netip.Addr]{parseAddr, formatValid[netip.Addr], described("an IP address")}
}

// formatValid writes an address, a network or an endpoint; nothing for the
// invalid zero value.
func formatValid[T interface {
	IsValid() bool
	String() string
}](v T) string {
	if !v.IsValid() {
		return ""
	}
	return v.String()
}

func parseAddr(text string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(text); err == nil {
		return netip.Addr{}, fmt.Errorf("%s has a port; write the address alone, %s", quote(text), ap.Addr())
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}, notAddress(text, text)
	}
	if err := simple(text, a, a.Unmap()); err != nil {
		return netip.Addr{}, err
	}
	if a.IsUnspecified() {
		return netip.Addr{}, fmt.Errorf("%s stands for any address; write that of one host", quote(text))
	}
	return a, nil
}

// notAddress says what text is in place of an address; host is the part that
// should have been one.
func notAddress(text, host string) error {
	if isName(host) {
		return fmt.Errorf("%s is a name; an IP address is needed", quote(text))
	}
	return fmt.Errorf("%s is not an IP address", quote(text))
}

// simple refuses an address that no TCP connection of ours can have, or that
// has a simpler form: unmapped is text without IPv6 around its IPv4 address.
func simple(text string, a netip.Addr, unmapped fmt.Stringer) error {
	switch {
	case a.Zone() != "":
		return fmt.Errorf("%s has a zone; zones are not supported, write an address that needs none", quote(text))
	case a.Is4In6():
		return fmt.Errorf("%s is an IPv4 address in IPv6 form; write %s", quote(text), unmapped)
	case a.IsMulticast():
		return fmt.Errorf("%s is a multicast address; write that of one host", quote(text))
	case a == broadcast:
		return fmt.Errorf("%s is the broadcast address; write that of one host", quote(text))
	}
	return nil
}

// broadcast is the limited broadcast address (RFC 919 section 7).
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// prefix is a network.
func prefix() codec[netip.Prefix] {
	return codec[netip.Prefix]{parsePrefix, formatValid[netip.Prefix], described("a network, such as 198.51.100.0/24")}
}

func parsePrefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap().WithZone("")
		return netip.Prefix{}, fmt.Errorf("%s has no prefix length; write %s", quote(text), netip.PrefixFrom(a, a.BitLen()))
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%s is not a network like 198.51.100.0/24 or 2001:db8::/32", quote(text))
	}
	if p.Addr().Is4In6() {
		unmapped := netip.PrefixFrom(p.Addr().Unmap(), max(0, p.Bits()-96)).Masked()
		return netip.Prefix{}, fmt.Errorf("%s is an IPv4 network in IPv6 form; write %s", quote(text), unmapped)
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s has bits beyond its prefix length; write %s", quote(text), p.Masked())
	}
	return p, nil
}
