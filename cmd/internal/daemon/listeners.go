package daemon

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync/atomic"

	"ftpalg/alg"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/opener"
)

// socket is one listening socket and what is done with what it accepts.
type socket struct {
	opener.Socket
	acceptor *acceptor
	service  atomic.Pointer[alg.Service]
	stop     context.CancelFunc
}

// keepListener keeps a listening socket that the opener has handed over until
// a configuration names it.
func (d *Daemon) keepListener(number uint32, f *os.File) {
	defer closeFile(f)
	l, err := net.FileListener(f)
	if err != nil {
		return // the socket is not among the listening ones then
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.received[number] = l
}

// takeListener returns a listening socket that was kept, nil if there is none.
func (d *Daemon) takeListener(number uint32) net.Listener {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.received[number]
	delete(d.received, number)
	return l
}

// servicesOf returns what every listener does, by its name; former are the
// servers until now, by the same names.
func servicesOf(s *opener.Setup, c *config.Config, former map[string]*alg.Servers) (map[string]*alg.Service, error) {
	services := make(map[string]*alg.Service)
	for i := range c.Listeners {
		l := &c.Listeners[i]
		svc := service(l, former[l.Name])
		if l.TLS.Mode.EndsHere() {
			var err error
			if svc.TLS, err = tlsConfig(&l.TLS, s.Keys[l.Name]); err != nil {
				return nil, fmt.Errorf("listener %s: tls: %w", l.Name, err)
			}
			svc.ImplicitTLS, svc.ResumeData = l.TLS.Implicit, l.TLS.DataSession == config.DataSessionRequire
		}
		if l.ServerTLS.Mode != config.ServerTLSOff {
			svc.ServerTLS = serverTLS(l, s.Keys[l.Name])
		}
		services[svc.Name] = &svc
	}
	return services, nil
}

// serve takes over the listening sockets of a Setup, closes those it does not
// name, and gives every one its listener's service.
func (d *Daemon) serve(s *opener.Setup, services map[string]*alg.Service) {
	next := make(map[uint32]*socket)
	var opened []*socket
	for _, named := range s.Sockets {
		svc := services[named.Name]
		if svc == nil {
			continue // not a listener's
		}
		sock := d.sockets[named.Number]
		if l, ok := d.takeListener(named.Number).(*net.TCPListener); ok {
			sock = &socket{Socket: named, acceptor: newAcceptor(l, named, d.addresses)}
			opened = append(opened, sock)
		}
		if sock != nil {
			sock.service.Store(svc)
			next[named.Number] = sock
		}
	}
	d.replaceSockets(next)
	if s.Inherited {
		d.waiting = opened
		return
	}
	for _, sock := range opened {
		d.startServing(sock)
	}
}

// startServing accepts on a socket from now on.
func (d *Daemon) startServing(s *socket) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	d.serving.Go(func() { d.accept(ctx, s) })
}

// replaceSockets puts a set of sockets in force and closes what is in it no
// longer.
func (d *Daemon) replaceSockets(next map[uint32]*socket) {
	d.mu.Lock()
	before := d.sockets
	d.sockets = next
	for number := range d.down {
		if next[number] == nil {
			delete(d.down, number)
		}
	}
	d.mu.Unlock()
	for number, s := range before {
		if next[number] == nil {
			s.close()
		}
	}
}

// close ends a socket, whether it serves or not.
func (s *socket) close() {
	if s.stop != nil {
		s.stop()
	}
	s.acceptor.Close()
}

// accept serves one socket until it is closed.
func (d *Daemon) accept(ctx context.Context, s *socket) {
	err := d.gateway.Serve(ctx, func() alg.Service { return *s.service.Load() }, s.acceptor)
	if err == nil {
		return
	}
	d.log.Error("listener ended; a reload opens it again", "event", "listener_failed", "listener", s.Text, "error", err)
	d.remote.socketFailed(s.Number)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.sockets[s.Number] == s {
		d.down[s.Number] = fmt.Errorf("%s: %w", s.Text, err)
	}
}
