package opener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"ftpalg/alg/transparent"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/link"
)

// Why a connection begins no session.
var (
	// errLoop says that a server is the gateway itself, which would go on
	// calling itself.
	errLoop       = errors.New("the server is one of the gateway's own listeners")
	errNoClient   = errors.New("the client's connection did not come along")
	errNoSocket   = errors.New("there is no such listening socket")
	errNotReached = errors.New("the client did not come to this listening socket")
	errNoBalancer = errors.New("the client's connection was not made by a balancer that may name it")
	errNotServer  = errors.New("it is none of the listener's servers")
	errProbing    = errors.New("the server is being tried")
)

// connect begins a session and connects to its server.
func (o *Opener) connect(r link.Record, client *os.File) {
	s, err := o.begin(r, client)
	if err != nil {
		o.refuse(r, err)
		return
	}
	o.working.Go(func() {
		c, err := o.dial(s)
		if err != nil {
			o.refuse(r, err)
			return
		}
		defer c.Close() // the worker has it
		o.ledger.connected(s, unmapped(c.LocalAddr()))
		o.answerFile(r, c)
	})
}

// begin enters a session into the ledger. Its addresses are those of the
// client's connection, not what the worker says of it.
func (o *Opener) begin(r link.Record, client *os.File) (*session, error) {
	if client == nil {
		return nil, errNoClient
	}
	defer client.Close()
	sock, listener, c := o.socketOf(r.Socket)
	if sock == nil {
		return nil, errNoSocket
	}
	local, remote, err := transparent.Ends(client)
	if err != nil {
		return nil, err
	}
	s := &session{number: r.Session, listener: listener, config: c, client: remote}
	if s.reached, err = o.reached(sock, client, local); err != nil {
		return nil, err
	}
	if r.Client.IsValid() {
		if !listener.ProxyProtocol.Accepts(remote.Addr()) || !r.Client.Addr().IsGlobalUnicast() {
			return nil, errNoBalancer
		}
		s.client, s.balancer = r.Client, remote
	}
	s.server = s.reached
	if listener.Transparent == nil {
		if s.server = r.Target; !listener.MayServe(r.Target) {
			return nil, errNotServer
		}
	}
	return s, o.ledger.begin(s)
}

// reached returns the address at which a connection, whose own address is to,
// reached a socket.
func (o *Opener) reached(s *socket, c *os.File, to netip.AddrPort) (netip.AddrPort, error) {
	switch s.kind {
	case fronting:
		if to.Port() != s.at.Port() || !s.at.Addr().IsUnspecified() && to.Addr() != s.at.Addr() {
			return to, errNotReached
		}
		return to, nil
	case viaREDIRECT:
		if to.Port() != s.at.Port() {
			return to, errNotReached
		}
		var err error
		if to, err = transparent.OriginalDestination(c); err != nil {
			return to, errNotReached
		}
	}
	own, err := o.addresses.Local(to.Addr())
	if err == nil && own {
		err = errNotReached
	}
	return to, err
}

// dial connects to the server of a session. A source address that is not this
// machine's is taken over.
func (o *Opener) dial(s *session) (*transparent.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.config.Limits.ConnectTimeout)
	defer cancel()
	if own, err := o.addresses.Local(s.server.Addr()); err == nil && own && o.listens(s.server) {
		return nil, fmt.Errorf("dial %s: %w", s.server, errLoop)
	}
	r := transparent.Request{Server: s.server, Source: s.listener.Source.Addr}
	if s.listener.Source.Kind == config.SourceClient && s.client.IsValid() {
		r.Source = s.client.Addr()
		// The client's own connections to this server have these ports, and
		// the two would be one to connection tracking.
		if s.reached == s.server {
			r.Avoid = o.ledger.clientPorts(r.Source)
		}
	}
	if r.Source.IsValid() {
		own, err := o.addresses.Local(r.Source)
		if err != nil {
			return nil, err
		}
		r.Foreign = !own
	}
	return transparent.Dial(ctx, r)
}

// probe connects to a server to see whether it answers, to each at most once
// at a time.
func (o *Opener) probe(r link.Record) {
	_, listener, c := o.socketOf(r.Socket)
	switch {
	case listener == nil:
		o.refuse(r, errNoSocket)
		return
	case !listener.MayServe(r.Target):
		o.refuse(r, errNotServer)
		return
	case !o.ledger.beginProbe(r.Target):
		o.refuse(r, errProbing)
		return
	}
	o.working.Go(func() {
		defer o.ledger.endProbe(r.Target)
		s := &session{listener: listener, config: c, server: r.Target, ctx: context.Background()}
		conn, err := o.dial(s)
		if err != nil {
			o.refuse(r, err)
			return
		}
		defer conn.Close() // the worker has it
		o.answerFile(r, conn)
	})
}

// unmapped returns the address of a TCP socket, an IPv4-mapped one as IPv4.
func unmapped(a net.Addr) netip.AddrPort {
	ap := a.(*net.TCPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
