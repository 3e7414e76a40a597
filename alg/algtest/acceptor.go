package algtest

import (
	"net"
	"net/netip"
	"sync"

	"ftpalg/alg"
)

// Acceptor is an alg.Acceptor that yields what Deliver is given.
type Acceptor struct {
	arrivals chan alg.Arrival
	closed   chan struct{}
	once     sync.Once
}

// NewAcceptor returns an open Acceptor.
func NewAcceptor() *Acceptor {
	return &Acceptor{arrivals: make(chan alg.Arrival), closed: make(chan struct{})}
}

// Deliver hands over one connection and returns when it was accepted.
func (a *Acceptor) Deliver(arrival alg.Arrival) { a.arrivals <- arrival }

// Accept waits for the next delivery.
func (a *Acceptor) Accept() (alg.Arrival, error) {
	select {
	case arrival := <-a.arrivals:
		return arrival, nil
	case <-a.closed:
		return alg.Arrival{}, net.ErrClosed
	}
}

// Close ends Accept.
func (a *Acceptor) Close() error {
	a.once.Do(func() { close(a.closed) })
	return nil
}

// Addr returns a documentation address.
func (a *Acceptor) Addr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:21"))
}
