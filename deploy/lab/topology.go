package lab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// Topology is a network with a client, a gateway and a server in it. Cables,
// addresses, routes and forwarding are there; firewall rules are not (Strict).
type Topology struct {
	*Network
	// Client, Gateway and Server are the hosts of every topology.
	Client, Gateway, Server *Host
	// Edge is the second machine between client and server: in TwoNATs the
	// client's own gateway, in Cloud the 1:1 NAT. Elsewhere it is nil.
	Edge *Host
	// Contact is the address to which the client connects.
	Contact netip.Addr
	// Own is the server's own address. It differs from Contact where the
	// server is behind NAT.
	Own netip.Addr
}

// Inbound has the server behind NAT, clients outside: client 203.0.113.10,
// gateway wan 203.0.113.1 and lan 198.18.1.1, server 198.18.1.20. The
// server's way back to its clients is the gateway.
func Inbound(ctx context.Context, prefix string) (*Topology, error) {
	return build(ctx, prefix, plain, "203.0.113.1", "198.18.1.20", func(t *Topology) error {
		return errors.Join(
			t.Gateway.Router(),
			t.Wire(t.Client, "eth0", "203.0.113.10/24", t.Gateway, "wan", "203.0.113.1/24"),
			t.Wire(t.Gateway, "lan", "198.18.1.1/24", t.Server, "eth0", "198.18.1.20/24"),
			t.Server.Route("default", "198.18.1.1"),
		)
	})
}

// Outbound has the client behind NAT, servers anywhere outside: client
// 198.18.0.10, gateway lan 198.18.0.1 and wan 203.0.113.1, server
// 203.0.113.20, which knows no way back to the client's own address.
func Outbound(ctx context.Context, prefix string) (*Topology, error) {
	return build(ctx, prefix, plain, "203.0.113.20", "203.0.113.20", func(t *Topology) error {
		return errors.Join(
			t.Gateway.Router(),
			t.Wire(t.Client, "eth0", "198.18.0.10/24", t.Gateway, "lan", "198.18.0.1/24"),
			t.Wire(t.Gateway, "wan", "203.0.113.1/24", t.Server, "eth0", "203.0.113.20/24"),
			t.Client.Route("default", "198.18.0.1"),
		)
	})
}

// Routed has no NAT: client 203.0.113.10, gateway wan 203.0.113.1 and dmz
// 192.0.2.1, server 192.0.2.20.
func Routed(ctx context.Context, prefix string) (*Topology, error) {
	return build(ctx, prefix, plain, "192.0.2.20", "192.0.2.20", func(t *Topology) error {
		return errors.Join(
			t.Gateway.Router(),
			t.Wire(t.Client, "eth0", "203.0.113.10/24", t.Gateway, "wan", "203.0.113.1/24"),
			t.Wire(t.Gateway, "dmz", "192.0.2.1/24", t.Server, "eth0", "192.0.2.20/24"),
			t.Client.Route("default", "203.0.113.1"),
			t.Server.Route("default", "192.0.2.1"),
		)
	})
}

// TwoNATs has a gateway at either end: client 198.18.0.10, Edge lan
// 198.18.0.1 and wan 203.0.113.2, gateway wan 203.0.113.1 and lan 198.18.1.1,
// server 198.18.1.20. Neither private side knows a way to the other.
func TwoNATs(ctx context.Context, prefix string) (*Topology, error) {
	return build(ctx, prefix, withEdge, "203.0.113.1", "198.18.1.20", func(t *Topology) error {
		return errors.Join(
			t.Edge.Router(),
			t.Gateway.Router(),
			t.Wire(t.Client, "eth0", "198.18.0.10/24", t.Edge, "lan", "198.18.0.1/24"),
			t.Wire(t.Edge, "wan", "203.0.113.2/24", t.Gateway, "wan", "203.0.113.1/24"),
			t.Wire(t.Gateway, "lan", "198.18.1.1/24", t.Server, "eth0", "198.18.1.20/24"),
			t.Client.Route("default", "198.18.0.1"),
		)
	})
}

// Cloud has a 1:1 NAT that knows no FTP before the gateway: client
// 203.0.113.10, Edge wan 203.0.113.80 and in 198.18.2.1, gateway wan
// 198.18.2.10 and lan 198.18.1.1, server 198.18.1.20.
func Cloud(ctx context.Context, prefix string) (*Topology, error) {
	return build(ctx, prefix, withEdge, "203.0.113.80", "198.18.1.20", func(t *Topology) error {
		return errors.Join(
			t.Edge.Router(),
			t.Gateway.Router(),
			t.Wire(t.Client, "eth0", "203.0.113.10/24", t.Edge, "wan", "203.0.113.80/24"),
			t.Wire(t.Edge, "in", "198.18.2.1/24", t.Gateway, "wan", "198.18.2.10/24"),
			t.Wire(t.Gateway, "lan", "198.18.1.1/24", t.Server, "eth0", "198.18.1.20/24"),
			t.Gateway.Route("default", "198.18.2.1"),
			t.translate("203.0.113.80", "198.18.2.10"),
		)
	})
}

// IPv6 is Routed with IPv6: client 2001:db8:1::10, gateway wan 2001:db8:1::1
// and dmz 2001:db8:2::1, server 2001:db8:2::20.
func IPv6(ctx context.Context, prefix string) (*Topology, error) {
	return build(ctx, prefix, plain, "2001:db8:2::20", "2001:db8:2::20", func(t *Topology) error {
		return errors.Join(
			t.Gateway.Router(),
			t.Wire(t.Client, "eth0", "2001:db8:1::10/64", t.Gateway, "wan", "2001:db8:1::1/64"),
			t.Wire(t.Gateway, "dmz", "2001:db8:2::1/64", t.Server, "eth0", "2001:db8:2::20/64"),
			t.Client.Route("default", "2001:db8:1::1"),
			t.Server.Route("default", "2001:db8:2::1"),
		)
	})
}

// The hosts of a topology.
const (
	plain    = false
	withEdge = true
)

// build makes the hosts and lets connect do the rest. After an error nothing
// is left.
func build(ctx context.Context, prefix string, edge bool, contact, own string, connect func(*Topology) error) (*Topology, error) {
	n, err := New(ctx, prefix)
	if err != nil {
		return nil, err
	}
	t := &Topology{Network: n, Contact: netip.MustParseAddr(contact), Own: netip.MustParseAddr(own)}
	if err := t.addHosts(edge); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	if err := connect(t); err != nil {
		return nil, errors.Join(fmt.Errorf("connect the lab's hosts: %w", err), n.Close())
	}
	return t, nil
}

func (t *Topology) addHosts(edge bool) (err error) {
	if t.Client, err = t.Host("client"); err != nil {
		return err
	}
	if t.Gateway, err = t.Host("gateway"); err != nil {
		return err
	}
	if t.Server, err = t.Host("server"); err != nil || !edge {
		return err
	}
	t.Edge, err = t.Host("edge")
	return err
}

// translate makes the edge a 1:1 NAT between a public and a private address.
func (t *Topology) translate(public, private string) error {
	_, in := t.Edge.Iptables("-t", "nat", "-A", "PREROUTING", "-d", public, "-j", "DNAT", "--to-destination", private)
	_, out := t.Edge.Iptables("-t", "nat", "-A", "POSTROUTING", "-s", private, "-o", "wan", "-j", "SNAT", "--to-source", public)
	return errors.Join(in, out)
}
