package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"ftpalg/alg"
	"ftpalg/alg/expect"
	"ftpalg/alg/transparent"
	"ftpalg/rules"
)

// kernel is the gateway's view of the operating system: sockets from
// package transparent, pinholes from package rules.
type kernel struct {
	rules     *rules.Manager
	addresses *transparent.Addresses
	// listens reports whether one of our own listeners is at an address of
	// this machine.
	listens func(netip.AddrPort) bool
}

// errLoop says that a server is the gateway itself, which would go on calling
// itself.
var errLoop = errors.New("the server is one of the gateway's own listeners")

// Dial opens a control connection; a source address that is not this
// machine's is taken over.
func (k *kernel) Dial(ctx context.Context, d alg.Dial) (alg.Conn, error) {
	if own, err := k.addresses.Local(d.Server.Addr()); err == nil && own && k.listens(d.Server) {
		return nil, fmt.Errorf("dial %s: %w", d.Server, errLoop)
	}
	foreign := false
	if d.Source.IsValid() {
		own, err := k.addresses.Local(d.Source)
		if err != nil {
			return nil, err
		}
		foreign = !own
	}
	return dial(ctx, transparent.Request{Server: d.Server, Source: d.Source, Foreign: foreign, Avoid: d.Avoid})
}

// dial keeps a nil *Conn from becoming a Conn that is not nil.
func dial(ctx context.Context, r transparent.Request) (alg.Conn, error) {
	c, err := transparent.Dial(ctx, r)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (k *kernel) Open(ctx context.Context, e expect.Expectation) error { return k.rules.Open(ctx, e) }

func (k *kernel) Close(id expect.ID) { k.rules.Close(id) }

// acceptor yields the connections of one listening socket.
type acceptor struct {
	*net.TCPListener
	// reached finds the original destination of a connection, and whether
	// the client came straight to the gateway.
	reached func(*net.TCPConn) (addr netip.AddrPort, straight bool, err error)
}

// Accept waits for a connection. One that is broken before its destination is
// known is passed over.
func (a *acceptor) Accept() (alg.Arrival, error) {
	for {
		c, err := a.AcceptTCP()
		if err != nil {
			return alg.Arrival{}, err
		}
		reached, straight, err := a.reached(c)
		if err != nil {
			c.Close()
			continue
		}
		wrapped, err := transparent.Accepted(c)
		if err != nil {
			c.Close()
			continue
		}
		return alg.Arrival{Conn: wrapped, Reached: reached, Direct: straight}, nil
	}
}

func localAddr(c *net.TCPConn) netip.AddrPort {
	a := c.LocalAddr().(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// fronted: the client reached the address that it connected to.
func fronted(c *net.TCPConn) (netip.AddrPort, bool, error) { return localAddr(c), false, nil }

// tproxied: the socket's own address is the original destination
// (Documentation/networking/tproxy.rst). One of this machine's is no server's.
func tproxied(own *transparent.Addresses) func(*net.TCPConn) (netip.AddrPort, bool, error) {
	return func(c *net.TCPConn) (netip.AddrPort, bool, error) {
		to := localAddr(c)
		straight, err := own.Local(to.Addr())
		return to, straight, err
	}
}

// redirected: conntrack remembers the original destination.
func redirected(own *transparent.Addresses) func(*net.TCPConn) (netip.AddrPort, bool, error) {
	return func(c *net.TCPConn) (netip.AddrPort, bool, error) {
		to, err := transparent.OriginalDestination(c)
		if err != nil {
			return localAddr(c), true, nil // never redirected
		}
		straight, err := own.Local(to.Addr())
		return to, straight, err
	}
}
