package rules

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// portsPerRule is below the multiport match's fifteen (iptables-extensions(8))
// because a rule's comment repeats them and has 255 bytes.
const portsPerRule = 10

// nameLength is how much of a listener's name a comment shows, in bytes.
const nameLength = 32

// static returns the rules of one family. Each comment holds everything that
// varies in its rule: comparing comments compares rules. Ports are matched by
// multiport, be it one: whoever looks for pinholes in our chains finds them by
// --dport.
func static(o Options, f Family, s Static) []line {
	rules := slices.Concat(related(o), delivery(o, f, s))
	for _, v := range s.Services {
		rules = append(rules, service(f, v)...)
	}
	for _, i := range s.Intercepts {
		rules = append(rules, intercept(o, f, i)...)
	}
	for _, b := range s.Outbound {
		rules = append(rules, outbound(f, b)...)
	}
	return rules
}

// related accepts what came through an expectation of ours: the connection
// has its shadow's mark, and its shadow our helper. Whatever else on this
// machine uses that helper has not that mark.
func related(o Options) []line {
	if o.Path == IPTables {
		return nil
	}
	var rules []line
	for _, chain := range []string{chainForward, chainInput} {
		rules = append(rules, line{tableFilter, chain, words(
			"-p", "tcp", "-m", "conntrack", "--ctstate", "RELATED", "-m", "connmark", "--mark", bit(o.ExpectationMark),
			"-m", "helper", "--helper", helper, said("promised"), "-j", "ACCEPT")})
	}
	return rules
}

// needsRoute reports whether marked packets must be delivered locally.
func needsRoute(static []line) bool {
	return slices.ContainsFunc(static, func(r line) bool { return r.table == tableMangle })
}

// delivery marks the packets of connections that a transparent socket here
// already has. A socket is looked up for each packet that reaches the match,
// so only the ports concerned reach it.
func delivery(o Options, f Family, s Static) []line {
	var rules []line
	for _, some := range chunks(s.delivered(f)) {
		rules = append(rules, line{tableMangle, chainPrerouting, words(
			"-p", "tcp", "-m", "multiport", "--ports", some, "-m", "socket", "--transparent",
			said("deliver %s", some), "-j", "MARK", "--set-xmark", bit(o.Mark))})
	}
	return rules
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
		if b.Transparent && f.has(b.Server.Addr()) {
			collect(ports, b.Ports)
		}
	}
	return ports
}

// after returns s with what the connections still need that began under
// former rules.
func (s Static) after(former Static) Static {
	s.Deliver4 = slices.Sorted(maps.Keys(collect(former.delivered(IPv4), s.Deliver4)))
	s.Deliver6 = slices.Sorted(maps.Keys(collect(former.delivered(IPv6), s.Deliver6)))
	return s
}

func service(f Family, v Service) []line {
	a := v.Address.Addr().Unmap()
	if !f.has(a) {
		return nil
	}
	where := anywhere
	if !a.IsUnspecified() {
		where = host(a)
	}
	p := port(v.Address.Port())
	return []line{{tableFilter, chainInput, words(
		unlessAny("-d", where), "-p", "tcp", "-m", "multiport", "--dports", p, "-m", "conntrack", "--ctstate", "NEW",
		said("service %s to %s port %s", name(v.Name), where, p), "-j", "ACCEPT")}}
}

func intercept(o Options, f Family, i Intercept) []line {
	var rules []line
	pairs, lists := i.pairs(f), chunks(collect(map[uint16]bool{}, i.Ports))
	for _, pair := range pairs {
		for _, some := range lists {
			rules = append(rules, i.take(o, f, pair, some)...)
		}
	}
	switch {
	case len(pairs) == 0:
		return nil
	case i.Method == REDIRECT:
		return append(rules, i.redirected(f))
	}
	for _, some := range lists {
		rules = append(rules, i.handedOver(o, some))
	}
	return rules
}

// take sends one pair's connections to the listener. The first packet
// decides: a connection that is older than the rules goes on as it was.
// TPROXY has to hand over the later packets of one that it took, too, and
// knows it by its mark: while the kernel answers with SYN cookies there is
// no socket yet that delivery could find.
func (i Intercept) take(o Options, f Family, p pair, ports string) []line {
	local := port(i.port(f))
	of := words(unlessAny("-s", p.client), unlessAny("-d", p.server), i.in(), "-p", "tcp", "-m", "multiport", "--dports", ports,
		"-m", "addrtype", "!", "--dst-type", "LOCAL")
	first := words(of, "-m", "tcp", "--tcp-flags", "FIN,SYN,RST,ACK", "SYN")
	what := fmt.Sprintf("%s on %s from %s to %s ports %s at %s", name(i.Name), i.Interface, p.client, p.server, ports, local)
	if i.Method == REDIRECT {
		return []line{{tableNAT, chainPrerouting, words(first, said("intercept %s", what), "-j", "REDIRECT", "--to-ports", local)}}
	}
	return []line{
		{tableMangle, chainPrerouting, words(first, said("begin %s", what), "-j", "CONNMARK", "--set-xmark", bit(o.PinholeMark))},
		{tableMangle, chainPrerouting, words(of, "-m", "connmark", "--mark", bit(o.PinholeMark), said("intercept %s", what),
			"-j", "TPROXY", "--on-port", local, "--on-ip", f.loopback().String(), "--tproxy-mark", bit(o.Mark))},
	}
}

// handedOver accepts what TPROXY gave to the listener. The mark alone would
// not do: others may set the same bit for their own ends.
func (i Intercept) handedOver(o Options, ports string) line {
	return line{tableFilter, chainInput, words(
		i.in(), "-p", "tcp", "-m", "multiport", "--dports", ports, "-m", "mark", "--mark", bit(o.Mark), "-m", "conntrack", "--ctstate", "NEW",
		said("intercepted %s on %s ports %s", name(i.Name), i.Interface, ports), "-j", "ACCEPT")}
}

// redirected accepts what REDIRECT sent to the listener's port: a connection
// made straight to that port carries no translated destination.
func (i Intercept) redirected(f Family) line {
	local := port(i.port(f))
	return line{tableFilter, chainInput, words(
		i.in(), "-p", "tcp", "-m", "multiport", "--dports", local, "-m", "conntrack", "--ctstate", "NEW", "-m", "conntrack", "--ctstate", "DNAT",
		said("redirected %s on %s at %s", name(i.Name), i.Interface, local), "-j", "ACCEPT")}
}

func (i Intercept) port(f Family) uint16 {
	if f == IPv6 {
		return i.Port6
	}
	return i.Port4
}

func (i Intercept) in() []string { return unlessAny("-i", i.Interface) }

// pair is one client and one server network, each possibly any.
type pair struct{ client, server string }

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

func outbound(f Family, b Outbound) []line {
	if !f.has(b.Server.Addr()) {
		return nil
	}
	var rules []line
	to := network(b.Server)
	for _, some := range chunks(collect(map[uint16]bool{}, b.Ports)) {
		rules = append(rules, line{tableFilter, chainOutput, words(
			unlessAny("-d", to), "-p", "tcp", "-m", "multiport", "--dports", some, "-m", "conntrack", "--ctstate", "NEW",
			said("outbound %s to %s ports %s", name(b.Name), to, some), "-j", "ACCEPT")})
	}
	return rules
}

// anywhere stands for a match that is left out.
const anywhere = "any"

// networks returns the family's part of a list, {anywhere} for an empty list.
func networks(f Family, list []netip.Prefix) []string {
	if len(list) == 0 {
		return []string{anywhere}
	}
	var of []string
	for _, p := range list {
		if f.has(p.Addr()) {
			of = append(of, network(p))
		}
	}
	return of
}

func network(p netip.Prefix) string {
	if p.Bits() == 0 {
		return anywhere
	}
	return p.Masked().String()
}

func unlessAny(option, value string) []string {
	if value == anywhere || value == "" {
		return nil
	}
	return []string{option, value}
}

func collect(into map[uint16]bool, ports []uint16) map[uint16]bool {
	for _, p := range ports {
		into[p] = true
	}
	return into
}

// chunks returns the ports in ascending order as multiport matches take
// them.
func chunks(set map[uint16]bool) []string {
	var ports []uint16
	for p := range set {
		ports = append(ports, p)
	}
	slices.Sort(ports)
	var lists []string
	for some := range slices.Chunk(ports, portsPerRule) {
		list := make([]string, len(some))
		for n, p := range some {
			list[n] = port(p)
		}
		lists = append(lists, strings.Join(list, ","))
	}
	return lists
}

// words joins words and lists of words.
func words(parts ...any) []string {
	var all []string
	for _, p := range parts {
		switch p := p.(type) {
		case string:
			all = append(all, p)
		case []string:
			all = append(all, p...)
		}
	}
	return all
}

func said(format string, args ...any) []string {
	return []string{"-m", "comment", "--comment", tag + fmt.Sprintf(format, args...)}
}

// name returns as much of a configured name as a comment can hold: its
// first bytes, with anything that iptables would have to quote replaced.
func name(s string) string {
	safe := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || strings.ContainsRune(`"'\`, r) {
			return '_'
		}
		return r
	}, s)
	return safe[:min(len(safe), nameLength)]
}
