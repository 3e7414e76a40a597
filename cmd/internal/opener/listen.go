package opener

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"syscall"

	"ftpalg/alg/transparent"
	"ftpalg/cmd/internal/config"
	"ftpalg/rules"
)

// socket is a listening socket that the worker has.
type socket struct {
	endpoint
	// number names it on the Link.
	number uint32
	// at is where it listens.
	at netip.AddrPort
	// listener is open until it was handed over.
	listener descriptor
	// failed says that the worker cannot accept on it any more.
	failed bool
}

// descriptor is a socket that can be handed over.
type descriptor interface {
	syscall.Conn
	io.Closer
}

// open opens the socket of an endpoint.
func open(ctx context.Context, e endpoint, number uint32) (*socket, error) {
	l, err := transparent.Listen(ctx, e.addr, e.kind == viaTPROXY)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", e, err)
	}
	return &socket{endpoint: e, number: number, at: l.Addr().(*net.TCPAddr).AddrPort(), listener: l}, nil
}

// hint says what helps against the usual reasons.
func (o *Opener) hint(e endpoint, err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		for own := range o.sockets {
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
func (o *Opener) openMissing(ctx context.Context, c *config.Config) (map[endpoint]*socket, error) {
	opened := make(map[endpoint]*socket)
	var failed []error
	for i := range c.Listeners {
		for _, e := range endpoints(&c.Listeners[i]) {
			if o.serves(e) || e.kind != fronting && e.addr.Addr().Is6() && o.rules().Missing(rules.IPv6) != nil {
				continue
			}
			o.lastSocket++
			s, err := open(ctx, e, o.lastSocket)
			switch {
			case err == nil:
				opened[e] = s
			case !noFamily(e, err):
				failed = append(failed, fmt.Errorf("listener %s: %w%s", c.Listeners[i].Name, err, o.hint(e, err)))
			}
		}
	}
	if len(failed) > 0 {
		closeAll(opened)
		return nil, errors.Join(failed...)
	}
	return opened, nil
}

// serves reports whether the worker has the socket of e, and accepts.
func (o *Opener) serves(e endpoint) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := o.sockets[e]
	return s != nil && !s.failed
}

// wanted returns the sockets that c wants, of those that are there and those
// that were opened for it.
func (o *Opener) wanted(c *config.Config, opened map[endpoint]*socket) map[endpoint]*socket {
	out := make(map[endpoint]*socket)
	maps.Copy(out, opened)
	for i := range c.Listeners {
		for _, e := range endpoints(&c.Listeners[i]) {
			if s := o.sockets[e]; out[e] == nil && s != nil {
				out[e] = s
			}
		}
	}
	return out
}

// socketFailed notes that the worker cannot accept on a socket any more.
func (o *Opener) socketFailed(number uint32) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range o.sockets {
		if s.number == number {
			s.failed = true
		}
	}
}

// socketOf returns the socket that the worker names, and its listener.
func (o *Opener) socketOf(number uint32) (*socket, *config.Listener, *config.Config) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for e, s := range o.sockets {
		if s.number != number {
			continue
		}
		for i := range o.config.Listeners {
			for _, of := range endpoints(&o.config.Listeners[i]) {
				if of == e {
					return s, &o.config.Listeners[i], o.config
				}
			}
		}
	}
	return nil, nil, nil
}

// listens reports whether a fronting listener is at an address of this
// machine.
func (o *Opener) listens(at netip.AddrPort) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sockets[endpoint{kind: fronting, addr: at}] != nil ||
		o.sockets[endpoint{kind: fronting, addr: netip.AddrPortFrom(unspecified(at.Addr()), at.Port())}] != nil
}

func unspecified(a netip.Addr) netip.Addr {
	if a.Is4() {
		return netip.IPv4Unspecified()
	}
	return netip.IPv6Unspecified()
}

// closeAll closes what was not handed over.
func closeAll(sockets map[endpoint]*socket) {
	for _, s := range sockets {
		s.handedOver()
	}
}

// handedOver closes the opener's own descriptor.
func (s *socket) handedOver() {
	if s.listener != nil {
		s.listener.Close()
		s.listener = nil
	}
}

// static says what the control connections of c need of netfilter.
func static(c *config.Config, sockets map[endpoint]*socket) rules.Static {
	var all []rules.Static
	for i := range c.Listeners {
		all = append(all, plan(&c.Listeners[i], sockets))
	}
	return withData(c, merge(all))
}

// plan says what the sockets of a listener need of netfilter.
func plan(l *config.Listener, sockets map[endpoint]*socket) rules.Static {
	var port4, port6 uint16
	for _, e := range endpoints(l) {
		s := sockets[e]
		switch {
		case s == nil || e.kind == fronting:
		case e.addr.Addr().Is4():
			port4 = s.at.Port()
		default:
			port6 = s.at.Port()
		}
	}
	return needs(l, port4, port6)
}
