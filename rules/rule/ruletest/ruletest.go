// Package ruletest has examples for the tests of rules.
package ruletest

import (
	"net/netip"
	"time"

	"ftpalg/alg/expect"
	"ftpalg/rules/rule"
)

// Static returns what a gateway with a fronted server and two intercepted
// networks needs.
func Static() rule.Static {
	return rule.Static{
		Services: []rule.Service{{Name: "legacy", Address: netip.MustParseAddrPort("203.0.113.1:21")}},
		Intercepts: []rule.Intercept{
			{Name: "lan", Interface: "lan", Ports: []uint16{21, 2121}, Method: rule.TPROXY, Port4: 4021, Port6: 6021,
				Clients: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/24"), netip.MustParsePrefix("2001:db8:1::/64")}},
			{Name: "dmz", Interface: "dmz", Ports: []uint16{21}, Method: rule.REDIRECT, Port4: 4022, Port6: 6022},
		},
		Outbound: []rule.Outbound{
			{Name: "legacy", Server: netip.MustParsePrefix("198.18.1.20/32"), Ports: []uint16{21}},
			{Name: "lan", Server: netip.MustParsePrefix("0.0.0.0/0"), Ports: []uint16{21, 2121}, Transparent: true},
			{Name: "lan", Server: netip.MustParsePrefix("::/0"), Ports: []uint16{21, 2121}, Transparent: true},
		},
	}
}

// Promise returns a promise that is translated on both sides, and ends in a
// minute.
func Promise(id expect.ID) expect.Expectation {
	return expect.Expectation{
		ID: id, Session: 12, Mode: expect.PASV,
		From:    netip.MustParseAddr("203.0.113.10"),
		Reached: netip.AddrPortFrom(netip.MustParseAddr("203.0.113.1"), 50000+uint16(id)),
		Target:  netip.MustParseAddrPort("198.18.1.20:34567"),
		Seen:    netip.MustParseAddr("198.18.1.1"),
		Until:   time.Now().Add(time.Minute),
	}
}
