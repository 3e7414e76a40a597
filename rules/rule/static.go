package rule

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Static is what control connections need of the kernel: rules that stay for
// as long as the configuration does.
type Static struct {
	// Services are the local TCP ports to accept.
	Services []Service
	// Intercepts is the traffic to take over.
	Intercepts []Intercept
	// Outbound are the connections that this machine makes itself.
	Outbound []Outbound
	// Deliver4 and Deliver6 are further ports whose packets may belong to a
	// transparent socket of this machine: those of connections that began
	// under former rules. After sees to it.
	Deliver4, Deliver6 []uint16
	// Relayed says that this machine connects to any port for the data
	// connections that it relays: packets with the Pinhole mark go out.
	// Foreign4 and Foreign6 say that it does so with foreign source addresses,
	// so that packets of any port may belong to a transparent socket.
	Relayed, Foreign4, Foreign6 bool
}

// Service is a TCP port of this machine that anybody may connect to.
type Service struct {
	Name string
	// Address is where the service listens. An unspecified address
	// (0.0.0.0, ::) stands for any of its family.
	Address netip.AddrPort
}

// Method is how intercepted connections reach a local listener.
type Method uint8

// The two methods.
const (
	// TPROXY hands the packets over as they are, to a transparent listener
	// on 127.0.0.1 or ::1 (kernel Documentation/networking/tproxy.rst).
	TPROXY Method = iota + 1
	// REDIRECT translates the destination to the address of the interface,
	// where a listener on the unspecified address takes it.
	REDIRECT
)

// Outbound is a set of connections that this machine itself makes.
type Outbound struct {
	Name string
	// Server is where they go; 0.0.0.0/0 and ::/0 stand for any.
	Server netip.Prefix
	// Ports are the destination ports, at least one.
	Ports []uint16
	// Transparent says that they are made with a foreign source address,
	// so that the replies have to be delivered here.
	Transparent bool
}

// Marks are the bits by which rules know packets and connections.
type Marks struct {
	// Delivery is set on packets that must reach a local socket although
	// their address is foreign.
	Delivery uint32
	// Pinhole is set on the data connection that a pinhole without
	// translation admits, and on a control connection that TPROXY took over;
	// on packets of a data connection that this machine makes itself, too.
	Pinhole uint32
	// Expectation is what a data connection has that an expectation admits; 0
	// where pinholes are no expectations.
	Expectation uint32
}

// portsPerRule is below the fifteen that a match of ports takes
// (iptables-extensions(8)) because the tag repeats them, and has to fit into a
// comment of 255 bytes.
const portsPerRule = 10

// nameLength is how much of a listener's name a tag shows, in bytes.
const nameLength = 32

// helper is the kernel's helper at the master entries of expectations.
const helper = "ftp"

// Rules returns the rules of one family. Each tag holds everything that
// varies in its rule: comparing tags compares rules. Ports are a list, be it of
// one: whoever looks for pinholes in our chains finds them by a single port.
func (s Static) Rules(f Family, m Marks) []Rule {
	rules := slices.Concat(related(m), s.relayed(m), s.delivery(f, m))
	for _, v := range s.Services {
		rules = append(rules, v.rules(f)...)
	}
	for _, i := range s.Intercepts {
		rules = append(rules, i.rules(f, m)...)
	}
	for _, b := range s.Outbound {
		rules = append(rules, b.rules(f)...)
	}
	return rules
}

// NeedsRoute reports whether marked packets must be delivered locally.
func NeedsRoute(rules []Rule) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool { return r.Hook == MarkPrerouting })
}

// related accepts what came through an expectation of ours: the connection
// has its master entry's mark, and that entry our helper. Whatever else on
// this machine uses that helper has not that mark.
func related(m Marks) []Rule {
	if m.Expectation == 0 {
		return nil
	}
	matches := []Match{Tracked{States: []State{Related}}, ConnectionMark(m.Expectation), Helper(helper)}
	return []Rule{{FilterForward, matches, Accept{}, "promised"}, {FilterInput, matches, Accept{}, "promised"}}
}

// relayed accepts the connections to the targets of relayed data connections.
func (s Static) relayed(m Marks) []Rule {
	if !s.Relayed {
		return nil
	}
	return []Rule{{FilterOutput, []Match{PacketMark(m.Pinhole), Tracked{States: []State{New}}}, Accept{}, "relayed"}}
}

// delivery marks the packets of connections that a transparent socket here
// already has. A socket is looked up for each packet that reaches the match,
// so only the ports concerned reach it.
func (s Static) delivery(f Family, m Marks) []Rule {
	var rules []Rule
	if s.Relayed && s.foreign(f) {
		return []Rule{{MarkPrerouting, []Match{TransparentSocket{}}, SetPacketMark(m.Delivery), "deliver any"}}
	}
	for _, some := range chunks(s.delivered(f)) {
		rules = append(rules, Rule{MarkPrerouting, []Match{EitherPorts(some), TransparentSocket{}},
			SetPacketMark(m.Delivery), "deliver " + commas(some)})
	}
	return rules
}

func (s Static) foreign(f Family) bool {
	if f == IPv6 {
		return s.Foreign6
	}
	return s.Foreign4
}

// delivered returns the ports whose packets may belong to a transparent
// socket.
func (s Static) delivered(f Family) map[uint16]bool {
	ports := collect(map[uint16]bool{}, s.Deliver4)
	if f == IPv6 {
		ports = collect(map[uint16]bool{}, s.Deliver6)
	}
	for _, i := range s.Intercepts {
		if i.Method == TPROXY && len(i.pairs(f)) > 0 {
			collect(ports, i.Ports)
		}
	}
	for _, b := range s.Outbound {
		if b.Transparent && f.Has(b.Server.Addr()) {
			collect(ports, b.Ports)
		}
	}
	return ports
}

// After returns s with what the connections still need that began under
// former rules.
func (s Static) After(former Static) Static {
	s.Deliver4 = slices.Sorted(maps.Keys(collect(former.delivered(IPv4), s.Deliver4)))
	s.Deliver6 = slices.Sorted(maps.Keys(collect(former.delivered(IPv6), s.Deliver6)))
	if former.Relayed {
		s.Relayed, s.Foreign4, s.Foreign6 = true, s.Foreign4 || former.Foreign4, s.Foreign6 || former.Foreign6
	}
	return s
}

func (v Service) rules(f Family) []Rule {
	a := v.Address.Addr().Unmap()
	if !f.Has(a) {
		return nil
	}
	var where netip.Prefix
	if !a.IsUnspecified() {
		where = host(a)
	}
	p := v.Address.Port()
	return []Rule{{FilterInput, append(along(netip.Prefix{}, where, ""), Ports{p}, Tracked{States: []State{New}}),
		Accept{}, fmt.Sprintf("service %s to %s port %d", name(v.Name), network(where), p)}}
}

func (b Outbound) rules(f Family) []Rule {
	if !f.Has(b.Server.Addr()) {
		return nil
	}
	var rules []Rule
	for _, some := range chunks(collect(map[uint16]bool{}, b.Ports)) {
		rules = append(rules, Rule{FilterOutput, append(along(netip.Prefix{}, b.Server, ""), Ports(some), Tracked{States: []State{New}}),
			Accept{}, fmt.Sprintf("outbound %s to %s ports %s", name(b.Name), network(b.Server), commas(some))})
	}
	return rules
}

// networks returns the family's part of a list, {any} for an empty list.
func networks(f Family, list []netip.Prefix) []netip.Prefix {
	if len(list) == 0 {
		return []netip.Prefix{{}}
	}
	return slices.DeleteFunc(slices.Clone(list), func(p netip.Prefix) bool { return !f.Has(p.Addr()) })
}

// along matches packets by where they come from and go to, as far as that is
// limited.
func along(from, to netip.Prefix, in string) []Match {
	var matches []Match
	if from.Bits() > 0 {
		matches = append(matches, Source(from.Masked()))
	}
	if to.Bits() > 0 {
		matches = append(matches, Destination(to.Masked()))
	}
	if in != "" {
		matches = append(matches, Interface(in))
	}
	return matches
}

func network(p netip.Prefix) string {
	if p.Bits() <= 0 {
		return "any"
	}
	return p.Masked().String()
}

func collect(into map[uint16]bool, ports []uint16) map[uint16]bool {
	for _, p := range ports {
		into[p] = true
	}
	return into
}

// chunks returns the ports in ascending order as one rule takes them.
func chunks(set map[uint16]bool) [][]uint16 {
	return slices.Collect(slices.Chunk(slices.Sorted(maps.Keys(set)), portsPerRule))
}

func commas(ports []uint16) string {
	list := make([]string, len(ports))
	for n, p := range ports {
		list[n] = strconv.Itoa(int(p))
	}
	return strings.Join(list, ",")
}

// name returns as much of a configured name as a tag can hold: its first
// bytes, with anything replaced that a tool would have to quote.
func name(s string) string {
	safe := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || strings.ContainsRune(`"'\`, r) {
			return '_'
		}
		return r
	}, s)
	return safe[:min(len(safe), nameLength)]
}

// Validate refuses what would silently become no rule, or a wider one. The
// error wraps ErrInvalid.
func (s Static) Validate() error {
	for _, v := range s.Services {
		if !v.Address.Addr().IsValid() || v.Address.Addr().Zone() != "" || v.Address.Port() == 0 {
			return fmt.Errorf("rules: %w service %q: address %s", ErrInvalid, v.Name, v.Address)
		}
	}
	for _, i := range s.Intercepts {
		if err := i.validate(); err != nil {
			return fmt.Errorf("rules: %w intercept %q: %s", ErrInvalid, i.Name, err)
		}
	}
	for _, b := range s.Outbound {
		if !b.Server.IsValid() || len(b.Ports) == 0 || slices.Contains(b.Ports, 0) {
			return fmt.Errorf("rules: %w outbound %q: server %s, ports %d", ErrInvalid, b.Name, b.Server, b.Ports)
		}
	}
	return nil
}
