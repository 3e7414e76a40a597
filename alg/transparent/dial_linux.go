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
	// Port is the source port to take if it is free; 0 leaves it to the
	// kernel. Without a Source it means nothing.
	Port uint16
	// Mark is a mark for the packets of the connection, 0 for none. It needs
	// CAP_NET_ADMIN.
	Mark uint32
	// Timeout bounds the connecting; 0 leaves it to the context and the
	// kernel.
	Timeout time.Duration
	data    bool
}

// DialData is Dial for a relayed data connection.
func DialData(ctx context.Context, r Request) (*Conn, error) {
	r.data = true
	return Dial(ctx, r)
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
	if r.Port != 0 && r.Source.IsValid() {
		c, err := dialOnce(ctx, r)
		if !errors.Is(err, unix.EADDRINUSE) && !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.EACCES) {
			return c, err
		}
		r.Port = 0
	}
	return dialOnce(ctx, r)
}

func dialOnce(ctx context.Context, r Request) (*Conn, error) {
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
	if err := r.prepare(fd); err != nil {
		return err
	}
	if r.Mark != 0 {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(r.Mark)); err != nil {
			return os.NewSyscallError("setsockopt SO_MARK", err)
		}
	}
	switch {
	case !r.Source.IsValid():
		return nil
	case r.Port != 0:
		return bindPort(fd, r.Source, r.Port)
	case len(r.Avoid) == 0:
		// Then the kernel may choose as late as in connect(2), when it knows
		// the server: that is quick however many ports are in use (ip(7)).
		if err := unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return os.NewSyscallError("setsockopt IP_BIND_ADDRESS_NO_PORT", err)
		}
	}
	if err := unix.Bind(fd, sockaddr(r.Source, 0)); err != nil {
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

// prepare sets what must be set before the socket is bound.
func (r Request) prepare(fd int) error {
	set := setOptions
	if r.data {
		set = setDataOptions
	}
	if err := set(fd); err != nil || !r.Foreign {
		return err
	}
	return setTransparent(fd, r.Source.Is6())
}

// bindPort binds fd to a port that other connections may have, too, as long
// as they go elsewhere (socket(7), SO_REUSEADDR).
func bindPort(fd int, a netip.Addr, port uint16) error {
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return os.NewSyscallError("setsockopt SO_REUSEADDR", err)
	}
	return os.NewSyscallError("bind", unix.Bind(fd, sockaddr(a, port)))
}

// release closes the sockets that were held.
func (b *binding) release() {
	for _, fd := range b.held {
		unix.Close(fd)
	}
}

// sockaddr returns a for bind(2); port 0 is left to the kernel.
func sockaddr(a netip.Addr, port uint16) unix.Sockaddr {
	if a.Is4() {
		return &unix.SockaddrInet4{Addr: a.As4(), Port: int(port)}
	}
	return &unix.SockaddrInet6{Addr: a.As16(), Port: int(port)}
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
