package transparent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Request says how to connect to a server.
type Request struct {
	Server netip.AddrPort
	// Source is the address that the server shall see; the zero Addr leaves
	// it to the routing table.
	Source netip.Addr
	// Foreign says that Source is not an address of this machine. It needs
	// CAP_NET_ADMIN, and routes that bring the answers back.
	Foreign bool
	// Avoid lists ports of Source that must not be used: a connection from
	// the client's own address and port to the same server would be, for
	// connection tracking, the connection that the client made. Without a
	// Source it means nothing.
	Avoid []uint16
	// Timeout bounds the connecting; 0 leaves it to the context and the
	// kernel.
	Timeout time.Duration
}

// errAvoided says that the kernel chose a port of Request.Avoid.
var errAvoided = errors.New("every free source port is to be avoided")

// Dial connects as r says. The error is context.DeadlineExceeded if the time
// of r or ctx is over, and names the capability that is missing, if one is
// (*CapabilityError).
func Dial(ctx context.Context, r Request) (*Conn, error) {
	r.Server, r.Source = unmap(r.Server), r.Source.Unmap()
	c, err := dial(ctx, r)
	switch {
	case err == nil:
		return c, nil
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		// Package net returns either, whichever timer it sees first.
		err = context.DeadlineExceeded
	}
	if r.Source.IsValid() {
		return nil, fmt.Errorf("dial %s from %s: %w", r.Server, r.Source, cause(err))
	}
	return nil, fmt.Errorf("dial %s: %w", r.Server, cause(err))
}

func dial(ctx context.Context, r Request) (*Conn, error) {
	if r.Source.IsValid() && r.Source.Is4() != r.Server.Addr().Is4() {
		return nil, errors.New("the addresses are of different families")
	}
	var b binding
	defer b.release()
	d := net.Dialer{
		Timeout:   r.Timeout,
		KeepAlive: -1, // setOptions sets it
		Control: func(_, _ string, c syscall.RawConn) error {
			return control(c, func(fd int) error { return b.bind(fd, r) })
		},
	}
	// Each avoided port can be chosen once, since it is held from then on.
	for range len(r.Avoid) + 1 {
		c, err := d.DialContext(ctx, network(r.Server.Addr()), r.Server.String())
		switch {
		case err == nil:
			return newConn(c.(*net.TCPConn))
		case !errors.Is(err, errAvoided):
			return nil, err
		}
	}
	return nil, errAvoided
}

// binding is the search for a source port.
type binding struct {
	held []int // sockets bound to ports that must not be used
}

// bind prepares the socket fd and binds it to r.Source. When the kernel
// chooses a port to be avoided, the socket is held, so that it cannot choose
// that port again, and the error is errAvoided.
func (b *binding) bind(fd int, r Request) error {
	if err := prepare(fd, r.Source, r.Foreign); err != nil || !r.Source.IsValid() {
		return err
	}
	if len(r.Avoid) == 0 {
		// Then the kernel may choose as late as in connect(2), when it knows
		// the server: that is quick however many ports are in use (ip(7)).
		if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return os.NewSyscallError("setsockopt IP_BIND_ADDRESS_NO_PORT", err)
		}
	}
	if err := unix.Bind(fd, sockaddr(r.Source)); err != nil {
		return os.NewSyscallError("bind", err)
	}
	port, err := boundPort(fd)
	if err != nil || !slices.Contains(r.Avoid, port) {
		return err
	}
	held, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("fcntl F_DUPFD_CLOEXEC", err)
	}
	b.held = append(b.held, held)
	return errAvoided
}

// release closes the sockets that were held.
func (b *binding) release() {
	for _, fd := range b.held {
		unix.Close(fd)
	}
}

// sockaddr returns a for bind(2), with the port left to the kernel.
func sockaddr(a netip.Addr) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4()}
	}
	return &unix.SockaddrInet6{Addr: a.As16()}
}

func boundPort(fd int) (uint16, error) {
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return 0, os.NewSyscallError("getsockname", err)
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return uint16(sa.Port), nil
	case *unix.SockaddrInet6:
		return uint16(sa.Port), nil
	}
	return 0, fmt.Errorf("getsockname: unexpected address family %T", sa)
}
