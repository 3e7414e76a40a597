package ftp

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"syscall"
)

// The range of ports for data connections, and how many of them are tried.
const (
	lowestPort  = 20000
	highestPort = 65535
	portTries   = 100
)

// listenAnywhere listens on a random free port of an address. Port 0 would
// leave the choice to the kernel, which takes milliseconds to find one once
// thousands of data connections are in TIME_WAIT.
func listenAnywhere(listen func(network, address string) (net.Listener, error), addr netip.Addr) (net.Listener, error) {
	var err error
	for range portTries {
		port := lowestPort + rand.N(highestPort-lowestPort+1)
		var listener net.Listener
		listener, err = listen(network(addr), netip.AddrPortFrom(addr, uint16(port)).String())
		if !errors.Is(err, syscall.EADDRINUSE) {
			return listener, err
		}
	}
	return nil, err
}
