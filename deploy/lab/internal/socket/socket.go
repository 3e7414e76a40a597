// Package socket opens plain TCP sockets in the network namespace of the
// calling thread. Addresses are given in digits, so that no resolver, and
// with it no other thread, takes part.
package socket

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Listen is net.Listen without multipath TCP, which Go otherwise asks for and
// which costs time at every connection.
func Listen(network, address string) (net.Listener, error) {
	var config net.ListenConfig
	config.SetMultipathTCP(false)
	return config.Listen(context.Background(), network, address)
}

// Dial is net.Dialer.DialContext from local, an address with its port, or
// from anywhere if local is empty. The local port may be shared with other
// connections, as FTP servers share port 20.
func Dial(ctx context.Context, network, local, address string) (net.Conn, error) {
	var dialer net.Dialer
	if local != "" {
		from, err := netip.ParseAddrPort(local)
		if err != nil {
			return nil, fmt.Errorf("dial from %q: %w", local, err)
		}
		dialer.LocalAddr = net.TCPAddrFromAddrPort(from)
		dialer.Control = shareAddress
	}
	return dialer.DialContext(ctx, network, address)
}

// shareAddress sets SO_REUSEADDR before a socket is bound (socket(7)).
func shareAddress(_, _ string, conn syscall.RawConn) error {
	return setOption(conn, syscall.SOL_SOCKET, syscall.SO_REUSEADDR)
}

// UrgentInline makes urgent bytes arrive among the others (SO_OOBINLINE,
// socket(7)). RFC 959 section 4.1.3 sends ABOR behind a telnet Synch.
func UrgentInline(conn syscall.Conn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	return setOption(raw, syscall.SOL_SOCKET, syscall.SO_OOBINLINE)
}

func setOption(conn syscall.RawConn, level, option int) error {
	var result error
	err := conn.Control(func(fd uintptr) {
		result = syscall.SetsockoptInt(int(fd), level, option, 1)
	})
	if err != nil {
		return err
	}
	return result
}
