package examples

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/labtest"
)

// example is a network, the configurations on it, and the trips through it.
type example struct {
	topology func(context.Context, string) (*lab.Topology, error)
	// prepare adds what the topology lacks; nil for nothing.
	prepare func(*lab.Topology) error
	// gateway is the file for the gateway, edge the one for the edge host if
	// that is a gateway too.
	gateway, edge string
	trips         []trip
	// firewall puts a firewall of Debian's in force on the gateway, in the place
	// of a strict edge; nil for that.
	firewall func(*testing.T, *lab.Host)
	// try tries what no trip does; nil for nothing.
	try func(*testing.T, *lab.Topology)
}

// The default ranges.
var (
	passive = ports{50000, 50999}
	active  = ports{51000, 51999}
)

// examples returns all of them: every file of deploy/examples is in one.
func examples() []example {
	return []example{
		{
			topology: lab.Inbound, gateway: "legacy-server.yaml",
			trips: []trip{{contact: "203.0.113.1:21", server: "198.18.1.20:21", seenAs: "203.0.113.10", passive: passive}},
		},
		{
			topology: lab.Outbound, gateway: "network-edge.yaml",
			trips: []trip{{contact: "203.0.113.20:21", server: "203.0.113.20:21", seenAs: "203.0.113.1", active: active}},
		},
		{
			topology: lab.Inbound, prepare: secondServer, gateway: "passive-ports.yaml",
			trips: []trip{
				{contact: "203.0.113.1:21", server: "198.18.1.20:21", seenAs: "198.18.1.1", passive: ports{40000, 40099}, active: ports{40100, 40199}},
				{contact: "203.0.113.2:21", server: "198.18.1.21:2121", seenAs: "198.18.1.1", passive: ports{40000, 40099}, active: ports{40100, 40199}},
			},
		},
		{
			topology: lab.Inbound, gateway: "several-servers.yaml", // of which one is down
			trips: []trip{{contact: "203.0.113.1:21", server: "198.18.1.20:21", seenAs: "198.18.1.1", passive: passive, active: active}},
		},
		{
			topology: lab.Inbound, prepare: clientsOfIPv6, gateway: "ipv6-clients.yaml",
			trips: []trip{{contact: "[2001:db8:1::1]:21", server: "198.18.1.20:21", seenAs: "198.18.1.1", passive: passive, active: active}},
		},
		{
			topology: lab.IPv6, gateway: "ipv6.yaml",
			trips: []trip{
				{contact: "[2001:db8:2::20]:21", server: "[2001:db8:2::20]:21", seenAs: "2001:db8:1::10"},
				{contact: "[2001:db8:1::1]:21", server: "[2001:db8:2::20]:21", seenAs: "2001:db8:1::10", passive: passive},
			},
		},
		{
			topology: lab.Cloud, gateway: "behind-nat.yaml",
			trips: []trip{{contact: "203.0.113.80:21", server: "198.18.1.20:21", seenAs: "198.18.1.1", passive: passive, active: active}},
		},
		{
			topology: lab.Cloud, prepare: forwardPorts, gateway: "behind-port-forwarding.yaml",
			trips: []trip{{contact: "203.0.113.80:21", server: "198.18.1.20:21", seenAs: "198.18.1.1", passive: ports{60000, 60099}, active: active}},
		},
		{
			topology: lab.Routed, gateway: "routed-firewall.yaml",
			trips: []trip{{contact: "192.0.2.20:21", server: "192.0.2.20:21", seenAs: "203.0.113.10"}},
		},
		{
			topology: lab.Inbound, gateway: "ftps.yaml", try: underTLS,
		},
		{
			topology: lab.Inbound, gateway: "ufw.yaml", firewall: startUFW,
			trips: []trip{{contact: "203.0.113.1:21", server: "198.18.1.20:21", seenAs: "203.0.113.10", passive: passive}},
		},
		{
			topology: lab.Inbound, gateway: "firewalld.yaml", firewall: startFirewalld,
			trips: []trip{{contact: "203.0.113.1:21", server: "198.18.1.20:21", seenAs: "203.0.113.10", passive: passive}},
		},
		{
			topology: lab.Inbound, gateway: "docker.yaml", firewall: addDockersRules,
			trips: []trip{{contact: "203.0.113.1:21", server: "198.18.1.20:21", seenAs: "203.0.113.10", passive: passive}},
		},
		{
			topology: lab.TwoNATs, gateway: "two-nats-server-edge.yaml", edge: "two-nats-client-edge.yaml",
			trips: []trip{{contact: "203.0.113.1:21", server: "198.18.1.20:21", seenAs: "198.18.1.1", passive: passive, active: active}},
		},
	}
}

func TestEveryExampleServes(t *testing.T) {
	for _, e := range examples() {
		t.Run(e.gateway, func(t *testing.T) {
			t.Parallel()
			e.run(t, sandbox{})
		})
	}
}

func TestEveryExampleIsTriedAndGood(t *testing.T) {
	var tried []string
	for _, e := range examples() {
		tried = append(tried, e.gateway, e.edge)
	}
	files, err := filepath.Glob(filepath.Join(deploy, "examples", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found %q: %v", files, err)
	}
	for _, file := range files {
		if !slices.Contains(tried, filepath.Base(file)) {
			t.Errorf("%s is not tried", file)
		}
		if out, err := exec.Command(binary(), "check", "--config", file).CombinedOutput(); err != nil {
			t.Errorf("check: %v\n%s", err, out)
		}
	}
}

// run tries an example on strict edges.
func (e example) run(t *testing.T, in sandbox) {
	top := labtest.New(t, e.topology)
	if e.prepare != nil {
		if err := e.prepare(top); err != nil {
			t.Fatal(err)
		}
	}
	var gateways []*gateway
	if e.firewall == nil {
		gateways = append(gateways, strictGateway(t, top.Gateway, e.gateway, in))
	} else {
		e.firewall(t, top.Gateway)
		gateways = append(gateways, startGateway(t, top.Gateway, e.gateway, in))
	}
	if e.edge != "" {
		gateways = append(gateways, strictGateway(t, top.Edge, e.edge, in))
	}
	if e.try != nil {
		e.try(t, top)
	}
	for _, r := range e.trips {
		t.Run(r.contact, func(t *testing.T) { r.run(t, top, gateways) })
	}
}

func strictGateway(t *testing.T, h *lab.Host, file string, in sandbox) *gateway {
	t.Helper()
	if err := in.strict(h); err != nil {
		t.Fatal(err)
	}
	return startGateway(t, h, file, in)
}

// secondServer gives the gateway a second public address, and the server
// host the address of a second server.
func secondServer(top *lab.Topology) error {
	return errors.Join(
		top.Gateway.AddAddress("wan", "203.0.113.2/24"),
		top.Server.AddAddress("eth0", "198.18.1.21/24"),
	)
}

// clientsOfIPv6 gives client and gateway addresses of IPv6.
func clientsOfIPv6(top *lab.Topology) error {
	return errors.Join(
		top.Client.AddAddress("eth0", "2001:db8:1::10/64"),
		top.Gateway.AddAddress("wan", "2001:db8:1::1/64"),
	)
}

// forwardPorts makes the 1:1 NAT a router that forwards port 21 and one range,
// which it shifts.
func forwardPorts(top *lab.Topology) error {
	rules := [][]string{
		{"-F", "PREROUTING"},
		{"-A", "PREROUTING", "-d", "203.0.113.80", "-p", "tcp", "--dport", "21", "-j", "DNAT", "--to-destination", "198.18.2.10"},
		{"-A", "PREROUTING", "-d", "203.0.113.80", "-p", "tcp", "--dport", "60000:60099",
			"-j", "DNAT", "--to-destination", "198.18.2.10:50000-50099/60000"},
	}
	for _, rule := range rules {
		if _, err := top.Edge.Iptables(append([]string{"-t", "nat"}, rule...)...); err != nil {
			return err
		}
	}
	return nil
}
