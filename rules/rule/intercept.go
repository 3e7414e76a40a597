package rule

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Intercept is traffic that crosses this machine and is to end in it.
// Connections to one of the machine's own addresses are left alone.
type Intercept struct {
	Name string
	// Interface is where the connections come in; "" means any.
	Interface string
	// Ports are the destination ports to take over.
	Ports []uint16
	// Clients and Servers limit the traffic. An empty list means any
	// address; a list without an address of a family excludes that family.
	Clients, Servers []netip.Prefix
	Method           Method
	// Port4 and Port6 are the local listener's ports; 0 leaves that
	// family's traffic alone.
	Port4, Port6 uint16
}

func (i Intercept) rules(f Family, m Marks) []Rule {
	var rules []Rule
	pairs, lists := i.pairs(f), chunks(collect(map[uint16]bool{}, i.Ports))
	for _, pair := range pairs {
		for _, some := range lists {
			rules = append(rules, i.take(f, m, pair, some)...)
		}
	}
	switch {
	case len(pairs) == 0:
		return nil
	case i.Method == REDIRECT:
		return append(rules, i.redirected(f))
	}
	for _, some := range lists {
		rules = append(rules, i.handedOver(m, some))
	}
	return rules
}

// take sends one pair's connections to the listener. The first packet
// decides: a connection that is older than the rules goes on as it was.
// TPROXY has to hand over the later packets of one that it took, too, and
// knows it by its mark: while the kernel answers with SYN cookies there is
// no socket yet that delivery could find.
func (i Intercept) take(f Family, m Marks, p pair, ports []uint16) []Rule {
	local := i.port(f)
	of := append(along(p.client, p.server, i.Interface), Ports(ports), NotToUs{})
	first := append(slices.Clip(of), FirstPacket{})
	what := fmt.Sprintf("%s on %s from %s to %s ports %s at %d",
		name(i.Name), i.Interface, network(p.client), network(p.server), commas(ports), local)
	if i.Method == REDIRECT {
		return []Rule{{NATPrerouting, first, Redirect(local), "intercept " + what}}
	}
	return []Rule{
		{MarkPrerouting, first, SetConnectionMark(m.Pinhole), "begin " + what},
		{MarkPrerouting, append(slices.Clip(of), ConnectionMark(m.Pinhole)),
			HandOver{netip.AddrPortFrom(f.loopback(), local), m.Delivery}, "intercept " + what},
	}
}

// handedOver accepts what TPROXY gave to the listener. The mark alone would
// not do: others may set the same bit for their own ends.
func (i Intercept) handedOver(m Marks, ports []uint16) Rule {
	matches := append(along(netip.Prefix{}, netip.Prefix{}, i.Interface), Ports(ports), PacketMark(m.Delivery), Tracked{States: []State{New}})
	return Rule{FilterInput, matches, Accept{}, fmt.Sprintf("intercepted %s on %s ports %s", name(i.Name), i.Interface, commas(ports))}
}

// redirected accepts what REDIRECT sent to the listener's port: a connection
// made straight to that port carries no translated destination.
func (i Intercept) redirected(f Family) Rule {
	local := i.port(f)
	matches := append(along(netip.Prefix{}, netip.Prefix{}, i.Interface), Ports{local},
		Tracked{States: []State{New}}, Tracked{States: []State{Translated}})
	return Rule{FilterInput, matches, Accept{}, fmt.Sprintf("redirected %s on %s at %d", name(i.Name), i.Interface, local)}
}

func (i Intercept) port(f Family) uint16 {
	if f == IPv6 {
		return i.Port6
	}
	return i.Port4
}

// pair is one client and one server network; the zero Prefix is any.
type pair struct{ client, server netip.Prefix }

func (i Intercept) pairs(f Family) []pair {
	if i.port(f) == 0 {
		return nil
	}
	var pairs []pair
	for _, c := range networks(f, i.Clients) {
		for _, s := range networks(f, i.Servers) {
			pairs = append(pairs, pair{c, s})
		}
	}
	return pairs
}

func (i Intercept) validate() error {
	switch {
	case i.Method != TPROXY && i.Method != REDIRECT:
		return fmt.Errorf("method %d", i.Method)
	case len(i.Ports) == 0 || slices.Contains(i.Ports, 0):
		return fmt.Errorf("ports %d", i.Ports)
	// Names of interfaces: net/core/dev.c, dev_valid_name; "+" is a
	// wildcard to iptables(8).
	case len(i.Interface) > 15 || strings.ContainsAny(i.Interface, " \t\n/:+!\""):
		return fmt.Errorf("interface %q", i.Interface)
	}
	for _, p := range slices.Concat(i.Clients, i.Servers) {
		if !p.IsValid() {
			return fmt.Errorf("network %s", p)
		}
	}
	return nil
}
