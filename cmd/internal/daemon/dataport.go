package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"ftpalg/alg"
	"ftpalg/alg/expect"
	"ftpalg/alg/transparent"
	"ftpalg/cmd/internal/link"
)

// dataPort is the listening socket of a relayed promise. It implements
// alg.DataPort. Its connections are those of package net, between which the
// kernel moves bytes.
type dataPort struct {
	remote   *remote
	promise  expect.Expectation
	listener *net.TCPListener
}

// Accept implements alg.DataPort.
func (p *dataPort) Accept() (alg.Conn, error) {
	c, err := p.listener.AcceptTCP()
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Dial implements alg.DataPort.
func (p *dataPort) Dial(ctx context.Context, peer netip.AddrPort) (alg.Conn, error) {
	f, err := p.remote.ask(ctx, link.Record{
		Op: link.DialData, Session: p.promise.Session, ID: p.promise.ID, Port: peer.Port(),
	}, nil)
	if err != nil {
		return nil, err
	}
	return dataConnOf(f, p.promise.Target)
}

// dataConnOf makes a data connection of a file that came over the Link, and closes
// the file.
func dataConnOf(f *os.File, target netip.AddrPort) (alg.Conn, error) {
	if f == nil {
		return nil, errNoDescriptor
	}
	defer closeFile(f)
	c, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("take over the data connection to %s: %w", target, err)
	}
	return c.(*net.TCPConn), nil
}

// Close implements alg.DataPort.
func (p *dataPort) Close() error { return p.listener.Close() }

// readLowWater sets how much of a connection must have come before it is read. One
// under TLS is read as it comes.
func readLowWater(c alg.Conn, bytes int) error {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return errors.ErrUnsupported
	}
	return transparent.SetReadLowWater(tcp, bytes)
}
