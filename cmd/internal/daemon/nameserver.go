package daemon

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// nameServer is a conversation with a name server by datagrams. Its socket is
// not connected, which the worker must not do (package sandbox): so it looks
// itself whether an answer comes from the server.
type nameServer struct {
	*net.UDPConn
	address netip.AddrPort
}

// dialNameServer is what a net.Resolver calls. There is no TCP: an answer that
// does not fit a datagram is taken as far as it goes.
func dialNameServer(_ context.Context, network, address string) (net.Conn, error) {
	if network != "udp" && network != "udp4" && network != "udp6" {
		return nil, fmt.Errorf("ask the name server %s over %s: only datagrams are possible", address, network)
	}
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil, fmt.Errorf("ask the name server: %w", err)
	}
	c, err := net.ListenUDP(network, nil)
	if err != nil {
		return nil, fmt.Errorf("ask the name server %s: %w", address, err)
	}
	return &nameServer{c, netip.AddrPortFrom(at.Addr().Unmap(), at.Port())}, nil
}

// Write sends a question.
func (n *nameServer) Write(b []byte) (int, error) { return n.WriteToUDPAddrPort(b, n.address) }

// Read reads an answer of the server.
func (n *nameServer) Read(b []byte) (int, error) {
	for {
		got, from, err := n.ReadFromUDPAddrPort(b)
		if err != nil || netip.AddrPortFrom(from.Addr().Unmap(), from.Port()) == n.address {
			return got, err
		}
	}
}

// RemoteAddr returns the server's address.
func (n *nameServer) RemoteAddr() net.Addr { return net.UDPAddrFromAddrPort(n.address) }
