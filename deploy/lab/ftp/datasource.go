package ftp

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// dataPort is where active data connections come from (RFC 959 section 3.2).
const dataPort = 20

// dataSource is how the next data connection comes about, once. The zero
// dataSource means that none was announced.
type dataSource struct {
	// open waits for the connection.
	open func() (net.Conn, error)
	// cancel ends the wait, from another goroutine too, or prevents it.
	cancel func()
}

// passiveSource accepts one connection. It refuses one from anywhere but the
// control connection's client.
func passiveSource(listener net.Listener, client netip.Addr, timeout time.Duration) dataSource {
	shut := func() { _ = listener.Close() } // a second close reports nothing new
	open := func() (net.Conn, error) {
		defer shut()
		conn, err := acceptWithin(listener, timeout)
		if err != nil {
			return nil, err
		}
		if from := addrPort(conn.RemoteAddr()).Addr(); from != client {
			err := fmt.Errorf("data connection from %s, control connection from %s", from, client)
			return nil, errors.Join(err, conn.Close())
		}
		return conn, nil
	}
	return dataSource{open: open, cancel: shut}
}

// acceptWithin accepts one connection within a time limit, which TCP and Unix
// listeners know.
func acceptWithin(listener net.Listener, timeout time.Duration) (net.Conn, error) {
	if l, ok := listener.(interface{ SetDeadline(time.Time) error }); ok {
		if err := l.SetDeadline(time.Now().Add(timeout)); err != nil {
			return nil, err
		}
	}
	return listener.Accept()
}

// dialFunc connects from a local address and port to another.
type dialFunc func(ctx context.Context, network, local, address string) (net.Conn, error)

// activeSource connects to the client: from port 20, or from any port where
// port 20 is not to be had.
func activeSource(dial dialFunc, local netip.Addr, target netip.AddrPort, timeout time.Duration) dataSource {
	ctx, cancel := context.WithCancel(context.Background())
	open := func() (net.Conn, error) {
		ctx, done := context.WithTimeout(ctx, timeout)
		defer done()
		conn, err := dial(ctx, network(local), netip.AddrPortFrom(local, dataPort).String(), target.String())
		if portTaken(err) {
			conn, err = dial(ctx, network(local), netip.AddrPortFrom(local, 0).String(), target.String())
		}
		return conn, err
	}
	return dataSource{open: open, cancel: cancel}
}

// portTaken reports whether the local port was the obstacle: reserved for
// root, bound by somebody else, or in TIME_WAIT towards the same target.
func portTaken(err error) bool {
	return errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, syscall.EADDRNOTAVAIL)
}
