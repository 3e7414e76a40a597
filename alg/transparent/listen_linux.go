package transparent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Listen opens a TCP listener on addr, whose family decides: an IPv6 listener
// takes no IPv4 connections. A transparent one accepts connections to any
// address that a TPROXY rule sends to it. The error names the capability that
// is missing, if one is (*CapabilityError).
func Listen(ctx context.Context, addr netip.AddrPort, transparent bool) (*net.TCPListener, error) {
	addr = unmap(addr)
	lc := net.ListenConfig{KeepAlive: -1} // setOptions sets it
	// Sockets of multipath TCP know no SO_OOBINLINE (kernel
	// net/mptcp/sockopt.c).
	lc.SetMultipathTCP(false)
	lc.Control = func(_, _ string, c syscall.RawConn) error {
		return control(c, func(fd int) error { return prepare(fd, addr.Addr(), transparent) })
	}
	l, err := lc.Listen(ctx, network(addr.Addr()), addr.String())
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, privileged(cause(err)))
	}
	return l.(*net.TCPListener), nil
}

// prepare sets what must be set before the socket is bound to addr.
func prepare(fd int, addr netip.Addr, transparent bool) error {
	if err := setOptions(fd); err != nil || !transparent {
		return err
	}
	return setTransparent(fd, addr.Is6())
}

// privileged says what a refused bind(2) needs.
func privileged(err error) error {
	if s, ok := errors.AsType[*os.SyscallError](err); ok && s.Syscall == "bind" && errors.Is(s.Err, unix.EACCES) {
		return &CapabilityError{Capability: "CAP_NET_BIND_SERVICE", Err: err}
	}
	return err
}

// network names the one family of a for package net.
func network(a netip.Addr) string {
	if a.Is6() {
		return "tcp6"
	}
	return "tcp4"
}

func unmap(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}
