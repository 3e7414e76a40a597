package alg

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// ProxyProtocol is how a listener speaks the PROXY protocol (HAProxy,
// proxy-protocol.txt): with balancers before it, which say who the client is, and
// with its servers.
type ProxyProtocol struct {
	// Accept are the networks of balancers. Each connection from there begins
	// with a header.
	Accept []netip.Prefix
	// Read takes the header off a connection, and nothing behind it. It returns
	// the client's address and the one that the client reached; zero ones where
	// the balancer speaks for itself.
	Read func(c Conn) (client, reached netip.AddrPort, err error)
	// Header returns the header of a connection to the server; nil for none.
	Header func(client, reached netip.AddrPort) []byte
	// Data says that data connections which this process carries begin so, too.
	Data bool
}

// headerTimeout bounds how long a header may stay away: balancers send it with
// the connection.
const headerTimeout = 5 * time.Second

// maxAwaited bounds the connections whose header is awaited at one time.
const maxAwaited = 1024

// errHeader says that a connection from a balancer does not begin as it must.
var errHeader = errors.New("no header of the PROXY protocol")

// accepts reports whether connections from this host begin with a header.
func (p *ProxyProtocol) accepts(from netip.Addr) bool {
	return p != nil && slices.ContainsFunc(p.Accept, func(n netip.Prefix) bool { return n.Contains(from) })
}

// read reads the header of a connection, in time.
func (p *ProxyProtocol) read(c Conn) (client, reached netip.AddrPort, err error) {
	c.SetReadDeadline(time.Now().Add(headerTimeout))
	if client, reached, err = p.Read(c); err != nil {
		return client, reached, fmt.Errorf("%w: %w", errHeader, err)
	}
	return client, reached, c.SetReadDeadline(time.Time{})
}

// header returns the header of a connection to the server, nil for none.
func (p *ProxyProtocol) header(client, reached netip.AddrPort) []byte {
	if p == nil || p.Header == nil {
		return nil
	}
	return p.Header(client, reached)
}

// arriveBehind admits a connection that a balancer has made, once it has said for
// whom.
func (g *Gateway) arriveBehind(svc *Service, a Arrival) {
	peer := addrPort(a.Conn.RemoteAddr())
	if g.awaited.Add(1) > maxAwaited {
		g.awaited.Add(-1)
		a.Conn.Close()
		return
	}
	g.running.Go(func() {
		defer g.awaited.Add(-1)
		client, reached, err := svc.Proxy.read(a.Conn)
		switch {
		case err != nil:
			g.log.Warn("a connection of a balancer is closed", "event", "proxy_header_failed", "listener", svc.Name, "balancer", peer, "error", err)
			g.observer.Rejected(svc.Name, peer, RejectHeader)
			g.rejected.Add(1)
			a.Conn.Close()
			return
		case client.IsValid():
			a.Client, a.Reached = client, reached
		}
		g.admitArrival(svc, a)
	})
}

// admitBehind reads the header of a data connection that a balancer has made, and
// reports whether it is for the client of the session.
func (r *relay) admitBehind(c Conn) bool {
	client, _, err := r.proxy.read(c)
	if err == nil && client.Addr() != r.client {
		err = fmt.Errorf("it is for %s", client)
	}
	if err != nil {
		r.log.Warn("a data connection of a balancer is turned away", "event", "data_proxy_header_failed", "balancer", c.RemoteAddr(), "client", r.client, "error", err)
		abort(c)
		return false
	}
	return true
}

// writeHeader begins a data connection to the server as it wants it.
func (r *relay) writeHeader(server Conn, client netip.AddrPort) error {
	if r.proxy == nil || !r.proxy.Data {
		return nil
	}
	at := netip.AddrPortFrom(r.reached.Addr(), r.d.Reached.Port())
	if b := r.proxy.header(client, at); b != nil {
		_, err := server.Write(b)
		return err
	}
	return nil
}
