package world

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/labtest"
)

// setting is how client and server stand to each other: by plain routing, or
// with a gateway between them.
type setting struct {
	name string
	// baseline is the name of the setting without a gateway that it is
	// compared with, empty for one of these.
	baseline string
	topology func(context.Context, string) (*lab.Topology, error)
	// path is the data path, listener a listener's YAML for one server: %d is
	// its number, %[2]s its address.
	path, listener string
}

const (
	plain4 = "plain routing, IPv4"
	plain6 = "plain routing, IPv6"
)

func settings() []setting {
	all := []setting{
		{name: plain4, topology: lab.Inbound},
		{name: plain6, topology: lab.IPv6},
	}
	for _, path := range []string{"conntrack", "iptables"} {
		all = append(all,
			setting{"fronted, source gateway, " + path, plain4, lab.Inbound, path, `{name: s%d, listen: "203.0.113.%[3]d:21", server: "%[2]s:21"}`},
			setting{"fronted, source client, " + path, plain4, lab.Inbound, path, `{name: s%d, listen: "203.0.113.%[3]d:21", server: "%[2]s:21", source: client}`},
			setting{"transparent, source client, " + path, plain4, lab.Routed, path, "{name: wan, transparent: {interface: wan}, source: client}"},
			setting{"transparent, source client, IPv6, " + path, plain6, lab.IPv6, path, "{name: wan, transparent: {interface: wan}, source: client}"},
		)
	}
	return all
}

// thorough reports whether the long steps are tried too: in one setting with a
// gateway, and without.
func (s setting) thorough() bool { return s.name == plain4 || s.name == shortSetting }

func (s setting) fronted() bool { return strings.HasPrefix(s.name, "fronted") }

// firstNumber is the last part of the first server's address; the servers
// stand behind each other.
const firstNumber = 101

// place is a lab in a setting, with addresses for the servers.
type place struct {
	setting
	*lab.Topology
}

// build makes the lab and gives its hosts their addresses. With a gateway the
// edge is strict: only what the gateway opens passes.
func (s setting) build(t *testing.T, servers int) *place {
	t.Helper()
	p := &place{s, labtest.New(t, s.topology)}
	for i := range servers {
		length := 24
		if p.Own.Is6() {
			length = 64
		}
		check(t, p.Server.AddAddress("eth0", netip.PrefixFrom(p.server(i), length).String()))
		if s.fronted() {
			check(t, p.Gateway.AddAddress("wan", fmt.Sprintf("203.0.113.%d/24", firstNumber+i)))
		}
	}
	if s.path != "" {
		check(t, p.Gateway.Strict())
	} else if s.name == plain4 {
		check(t, p.Client.Route("198.18.1.0/24", "203.0.113.1"))
	}
	return p
}

// server returns the own address of the i-th server.
func (p *place) server(i int) netip.Addr {
	if p.Own.Is6() {
		b := p.Own.As16()
		b[15] = byte(firstNumber + i)
		return netip.AddrFrom16(b)
	}
	b := p.Own.As4()
	b[3] = byte(firstNumber + i)
	return netip.AddrFrom4(b)
}

// contact returns the address at which clients reach the i-th server.
func (p *place) contact(i int) netip.Addr {
	if p.fronted() {
		return netip.AddrFrom4([4]byte{203, 0, 113, byte(firstNumber + i)})
	}
	return p.server(i)
}

// configuration returns the gateway's.
func (p *place) configuration(servers int, socket string) string {
	var listeners []string
	for i := range servers {
		listeners = append(listeners, fmt.Sprintf(p.listener, i, p.server(i), firstNumber+i))
		if !p.fronted() {
			listeners = []string{p.listener}
		}
	}
	return fmt.Sprintf("listeners: [%s]\ndata: {path: %s}\nadmin: {socket: %q}\nlog: {level: debug, format: text}\n",
		strings.Join(listeners, ", "), p.path, socket)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
