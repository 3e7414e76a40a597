package config

import "net/netip"

// parsePublic takes the address of a NAT as seen from beyond, or its name.
func (n *NAT) parsePublic(text string) error {
	if isName(text) {
		n.Public, n.PublicName = netip.Addr{}, text
		return nil
	}
	a, err := parseAddr(text)
	if err != nil {
		return err
	}
	n.Public, n.PublicName = a, ""
	return nil
}

func (n *NAT) publicText() string {
	if n.PublicName != "" {
		return n.PublicName
	}
	return formatValid(n.Public)
}
