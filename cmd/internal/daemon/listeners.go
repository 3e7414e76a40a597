package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"

	"ftpalg/alg"
	"ftpalg/alg/transparent"
	"ftpalg/cmd/internal/config"
	"ftpalg/rules"
)

// socket is one open listening socket and what is done with what it accepts.
type socket struct {
	endpoint
	acceptor *acceptor
	service  atomic.Pointer[alg.Service]
	stop     context.CancelFunc
}

func (s *socket) port() uint16 {
	return s.acceptor.Addr().(*net.TCPAddr).AddrPort().Port()
}

// open opens the socket of an endpoint.
func open(ctx context.Context, e endpoint, own *transparent.Addresses) (*socket, error) {
	l, err := transparent.Listen(ctx, e.addr, e.kind == viaTPROXY)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", e, err)
	}
	reached := fronted
	switch e.kind {
	case viaTPROXY:
		reached = tproxied(own)
	case viaREDIRECT:
		reached = redirected(own)
	}
	return &socket{endpoint: e, acceptor: &acceptor{l, reached}}, nil
}

// hint says what helps against the usual reasons.
func (d *Daemon) hint(e endpoint, err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		for own := range d.sockets {
			if own.kind == fronting && own.addr.Port() == e.addr.Port() {
				return "; this gateway itself listens on " + own.String() + ", and to change that needs a restart"
			}
		}
		return "; another program listens there (ss -ltnp shows which)"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "; this machine does not have that address (ip addr shows those it has)"
	}
	return ""
}

// noFamily reports whether a socket failed because the machine does without
// that family; a transparent listener serves the other one then.
func noFamily(e endpoint, err error) bool {
	return e.kind != fronting && (errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL))
}

// openMissing opens the sockets that c wants and that do not serve.
func (d *Daemon) openMissing(ctx context.Context, c *config.Config) (map[endpoint]*socket, error) {
	opened := make(map[endpoint]*socket)
	var failed []error
	for i := range c.Listeners {
		for _, e := range endpoints(&c.Listeners[i]) {
			if d.serves(e) || e.kind != fronting && e.addr.Addr().Is6() && d.rules.Missing(rules.IPv6) != nil {
				continue
			}
			s, err := open(ctx, e, d.addresses)
			switch {
			case err == nil:
				opened[e] = s
			case !noFamily(e, err):
				failed = append(failed, fmt.Errorf("listener %s: %w%s", c.Listeners[i].Name, err, d.hint(e, err)))
			}
		}
	}
	if len(failed) > 0 {
		closeAll(opened)
		return nil, errors.Join(failed...)
	}
	return opened, nil
}

// serves reports whether the socket of e is open and accepts. One that has
// stopped is closed, to be opened again.
func (d *Daemon) serves(e endpoint) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.down[e] != nil {
		d.sockets[e].close()
		delete(d.sockets, e)
		delete(d.down, e)
	}
	return d.sockets[e] != nil
}

// listens reports whether a fronting listener is at an address of this
// machine.
func (d *Daemon) listens(at netip.AddrPort) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sockets[endpoint{kind: fronting, addr: at}] != nil ||
		d.sockets[endpoint{kind: fronting, addr: netip.AddrPortFrom(unspecified(at.Addr()), at.Port())}] != nil
}

func unspecified(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

func closeAll(sockets map[endpoint]*socket) {
	for _, s := range sockets {
		s.close()
	}
}

// close ends a socket, whether it serves or not.
func (s *socket) close() {
	if s.stop != nil {
		s.stop()
	}
	s.acceptor.Close()
}

// serve gives every socket its listener's service, and begins to accept on
// the new ones.
func (d *Daemon) serve(opened map[endpoint]*socket) {
	for i := range d.config.Listeners {
		svc := service(&d.config.Listeners[i])
		for _, e := range endpoints(&d.config.Listeners[i]) {
			if s := d.sockets[e]; s != nil {
				s.service.Store(&svc)
			}
		}
	}
	for _, s := range opened {
		ctx, stop := context.WithCancel(context.Background())
		s.stop = stop
		d.serving.Go(func() { d.accept(ctx, s) })
	}
}

// accept serves one socket until it is closed.
func (d *Daemon) accept(ctx context.Context, s *socket) {
	err := d.gateway.Serve(ctx, func() alg.Service { return *s.service.Load() }, s.acceptor)
	if err == nil {
		return
	}
	d.log.Error("listener ended; a reload opens it again", "event", "listener_failed", "listener", s.endpoint.String(), "error", err)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sockets[s.endpoint] == s {
		d.down[s.endpoint] = err
	}
}

// static says what the control connections of c need of netfilter.
func static(c *config.Config, sockets map[endpoint]*socket) rules.Static {
	var all []rules.Static
	for i := range c.Listeners {
		all = append(all, plan(&c.Listeners[i], sockets))
	}
	return merge(all)
}

// plan says what the sockets of a listener need of netfilter.
func plan(l *config.Listener, sockets map[endpoint]*socket) rules.Static {
	var port4, port6 uint16
	for _, e := range endpoints(l) {
		s := sockets[e]
		switch {
		case s == nil || e.kind == fronting:
		case e.addr.Addr().Is4():
			port4 = s.port()
		default:
			port6 = s.port()
		}
	}
	return needs(l, port4, port6)
}
