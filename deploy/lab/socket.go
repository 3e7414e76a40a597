package lab

import (
	"context"
	"fmt"
	"net"

	"ftpalg/deploy/lab/internal/socket"
)

// Listen listens on the host, as net.Listen does, for network tcp, tcp4 or
// tcp6 and an address in digits. The sockets speak plain TCP, never
// multipath TCP.
func (h *Host) Listen(network, address string) (net.Listener, error) {
	var listener net.Listener
	err := h.Do(func() (err error) {
		listener, err = socket.Listen(network, address)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listen on host %s: %w", h.name, err)
	}
	return listener, nil
}

// Dial connects from the host, as net.Dialer does, for network tcp, tcp4 or
// tcp6 and an address in digits. Where local is not empty it is the address
// and port to come from; the port may be shared with other connections, as
// FTP servers share port 20.
func (h *Host) Dial(ctx context.Context, network, local, address string) (net.Conn, error) {
	var conn net.Conn
	err := h.Do(func() (err error) {
		conn, err = socket.Dial(ctx, network, local, address)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("dial from host %s: %w", h.name, err)
	}
	return conn, nil
}
