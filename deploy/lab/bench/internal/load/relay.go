package load

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"

	"ftpalg/deploy/lab"
)

// relayBuffer is the room for what is passed on at once, in bytes.
const relayBuffer = 4 << 10

// Relay passes connections on to a server, every byte as it came, as plainly
// as package net can: two goroutines a connection. It returns only with an
// error.
func Relay(at, server netip.AddrPort) error {
	config := net.ListenConfig{KeepAlive: -1}
	config.SetMultipathTCP(false)
	listener, err := config.Listen(context.Background(), "tcp4", at.String())
	if err != nil {
		return fmt.Errorf("relay: %w", err)
	}
	return relay(listener, server)
}

func relay(listener net.Listener, server netip.AddrPort) error {
	for {
		client, err := listener.Accept()
		if err != nil {
			return fmt.Errorf("relay: %w", err)
		}
		go join(client.(*net.TCPConn), server)
	}
}

// join carries one connection to its end. A server that cannot be reached
// looks like one that hangs up.
func join(client *net.TCPConn, server netip.AddrPort) {
	defer client.Close()
	dialer := net.Dialer{KeepAlive: -1}
	conn, err := dialer.Dial("tcp4", server.String())
	if err != nil {
		return
	}
	defer conn.Close()
	var both sync.WaitGroup
	both.Go(func() { carry(conn.(*net.TCPConn), client) })
	both.Go(func() { carry(client, conn.(*net.TCPConn)) })
	both.Wait()
}

// carry copies a stream to its end. The types hide that one could be spliced
// to the other, which takes more system calls than a line is worth.
func carry(to, from *net.TCPConn) {
	_, _ = io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, relayBuffer))
	_ = to.CloseWrite() // the other direction notices what is wrong
}

// Relayer prepares Relay as a process on a host.
func Relayer(ctx context.Context, on *lab.Host, at, server netip.AddrPort) (*lab.Command, error) {
	return again(ctx, on, relayRole, at.String()+" "+server.String())
}

func relayBetween(text string) error {
	first, second, _ := strings.Cut(text, " ")
	at, err := netip.ParseAddrPort(first)
	if err != nil {
		return err
	}
	server, err := netip.ParseAddrPort(second)
	if err != nil {
		return err
	}
	return Relay(at, server)
}
