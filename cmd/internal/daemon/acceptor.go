package daemon

import (
	"net"
	"net/netip"

	"ftpalg/alg"
	"ftpalg/alg/transparent"
	"ftpalg/cmd/internal/opener"
)

// arrived is a client's connection, with the listening socket that it came to.
type arrived struct {
	*transparent.Conn
	socket uint32
}

// acceptor yields the connections of one listening socket.
type acceptor struct {
	*net.TCPListener
	socket uint32
	// reached finds the original destination of a connection, and whether
	// the client came straight to the gateway.
	reached func(*net.TCPConn) (addr netip.AddrPort, straight bool, err error)
}

// newAcceptor returns the acceptor of a socket of some kind.
func newAcceptor(l *net.TCPListener, s opener.Socket, own *transparent.Addresses) *acceptor {
	a := &acceptor{l, s.Number, fronted}
	switch s.Kind {
	case opener.ViaTPROXY:
		a.reached = tproxied(own)
	case opener.ViaREDIRECT:
		a.reached = redirected(own)
	}
	return a
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
		made, err := transparent.Made(c)
		if err != nil {
			c.Close()
			continue
		}
		return alg.Arrival{Conn: &arrived{made, a.socket}, Reached: reached, Direct: straight}, nil
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
