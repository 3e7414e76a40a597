package algtest

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"syscall"

	"ftpalg/alg"
	"ftpalg/alg/expect"
)

// DataPort is an alg.DataPort in memory.
type DataPort struct {
	kernel   *Kernel
	e        expect.Expectation
	arrivals chan *Conn
	targets  chan *Conn
	closed   chan struct{}
	once     sync.Once
}

// Relay notes e as Open does. Its DataPort is had from Port.
func (k *Kernel) Relay(ctx context.Context, e expect.Expectation) (alg.DataPort, error) {
	if err := k.Open(ctx, e); err != nil {
		return nil, err
	}
	p := &DataPort{kernel: k, e: e, arrivals: make(chan *Conn, 8), targets: make(chan *Conn, 1), closed: make(chan struct{})}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ports = append(k.ports, p)
	return p, nil
}

// Ports returns the DataPorts of every Relay that was asked for, oldest first.
func (k *Kernel) Ports() []*DataPort {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]*DataPort(nil), k.ports...)
}

// Arrive connects to the port from a host. A port that is closed refuses.
func (p *DataPort) Arrive(from netip.AddrPort) (*Conn, error) {
	select {
	case <-p.closed:
		return nil, syscall.ECONNREFUSED
	default:
	}
	theirs, ours := Pipe(from, p.e.Reached)
	p.arrivals <- ours
	return theirs, nil
}

// Target waits for the connection that the gateway makes to the target.
func (p *DataPort) Target() *Conn { return <-p.targets }

// Accept implements alg.DataPort.
func (p *DataPort) Accept() (alg.Conn, error) {
	select {
	case c := <-p.arrivals:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Dial implements alg.DataPort.
func (p *DataPort) Dial(_ context.Context, peer netip.AddrPort) (alg.Conn, error) {
	if p.kernel.FailDial != nil {
		if err := p.kernel.FailDial(p.e); err != nil {
			return nil, err
		}
	}
	ours, theirs := Pipe(netip.AddrPortFrom(p.e.Seen, peer.Port()), p.e.Target)
	p.targets <- theirs
	return ours, nil
}

// Close implements alg.DataPort.
func (p *DataPort) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}
