package transparent

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// errNotTCP says that a descriptor is no TCP connection.
var errNotTCP = errors.New("not a TCP connection")

// Ends returns the addresses of a TCP connection, IPv4-mapped ones as IPv4. It
// changes nothing of it, and fails where c is no such connection.
func Ends(c syscall.Conn) (local, remote netip.AddrPort, err error) {
	err = controlConn(c, func(fd int) error {
		protocol, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_PROTOCOL)
		switch {
		case err != nil:
			return os.NewSyscallError("getsockopt SO_PROTOCOL", err)
		case protocol != unix.IPPROTO_TCP:
			return errNotTCP
		}
		if local, err = end("getsockname", unix.Getsockname, fd); err == nil {
			remote, err = end("getpeername", unix.Getpeername, fd)
		}
		return err
	})
	if err != nil {
		return local, remote, fmt.Errorf("ends of a connection: %w", err)
	}
	return local, remote, nil
}

func end(name string, ask func(int) (unix.Sockaddr, error), fd int) (netip.AddrPort, error) {
	sa, err := ask(fd)
	if err != nil {
		return netip.AddrPort{}, os.NewSyscallError(name, err)
	}
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port)), nil
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port)), nil
	}
	return netip.AddrPort{}, errNotTCP
}

func controlConn(c syscall.Conn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return control(raw, f)
}
