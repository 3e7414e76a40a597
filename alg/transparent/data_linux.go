package transparent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// ListenData opens a TCP listener for the data connection of one host: the
// kernel drops what comes from anybody else before there is a connection, and
// whoever gets the socket cannot change that (socket(7), SO_LOCK_FILTER). Some
// kernels let nobody attach a filter without CAP_NET_ADMIN; there, and only
// there, others may connect, and the caller has to look who has come.
func ListenData(ctx context.Context, at netip.AddrPort, from netip.Addr) (*net.TCPListener, error) {
	at, from = unmap(at), from.Unmap()
	filter, err := only(from)
	if err != nil {
		return nil, err
	}
	lc := net.ListenConfig{KeepAlive: -1} // setDataOptions sets it
	lc.SetMultipathTCP(false)
	lc.Control = func(_, _ string, c syscall.RawConn) error {
		return control(c, func(fd int) error {
			if err := setDataOptions(fd); err != nil {
				return err
			}
			if err := attach(fd, filter); !errors.Is(err, unix.EPERM) {
				return err
			}
			return nil
		})
	}
	l, err := lc.Listen(ctx, network(at.Addr()), at.String())
	if err != nil {
		return nil, fmt.Errorf("listen for data on %s: %w", at, cause(err))
	}
	return l.(*net.TCPListener), nil
}

// Offset of the source address in the header of IPv4 (RFC 791 section 3.1) and
// of IPv6 (RFC 8200 section 3).
const (
	source4 = 12
	source6 = 8
)

// networkHeader is what offsets count from that mean the header of IP
// (linux/filter.h, SKF_NET_OFF); a filter of a TCP socket sees that of TCP.
const networkHeader = 1<<32 - 0x100000

// only returns a filter that keeps packets from one host and drops all others.
func only(host netip.Addr) ([]bpf.RawInstruction, error) {
	address, at := host.AsSlice(), uint32(networkHeader+source4)
	if host.Is6() {
		at = networkHeader + source6
	}
	var program []bpf.Instruction
	words := len(address) / 4
	for n := range words {
		word := uint32(address[4*n])<<24 | uint32(address[4*n+1])<<16 | uint32(address[4*n+2])<<8 | uint32(address[4*n+3])
		toDrop := 2*(words-n-1) + 1
		program = append(program,
			bpf.LoadAbsolute{Off: at + uint32(4*n), Size: 4},
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: word, SkipTrue: uint8(toDrop)})
	}
	const whole = 1<<32 - 1
	return bpf.Assemble(append(program, bpf.RetConstant{Val: whole}, bpf.RetConstant{Val: 0}))
}

// attach has the socket fd see only what the filter keeps, for good.
func attach(fd int, filter []bpf.RawInstruction) error {
	raw := make([]unix.SockFilter, len(filter))
	for i, f := range filter {
		raw[i] = unix.SockFilter{Code: f.Op, Jt: f.Jt, Jf: f.Jf, K: f.K}
	}
	program := unix.SockFprog{Len: uint16(len(raw)), Filter: &raw[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program); err != nil {
		return os.NewSyscallError("setsockopt SO_ATTACH_FILTER", err)
	}
	return os.NewSyscallError("setsockopt SO_LOCK_FILTER", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_LOCK_FILTER, 1))
}

// Facing returns the address of this machine from which it would reach a
// host, as the routing table says. Nothing is sent.
func Facing(host netip.Addr) (netip.Addr, error) {
	const discard = 9 // any port will do
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, discard)))
	if err != nil {
		return netip.Addr{}, fmt.Errorf("find the address that faces %s: %w", host, cause(err))
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// SetReadLowWater sets how many bytes must have come before a connection is read
// (socket(7), SO_RCVLOWAT): the last ones, before its end, count as enough.
func SetReadLowWater(c syscall.Conn, bytes int) error {
	raw, err := c.SyscallConn()
	if err == nil {
		err = control(raw, func(fd int) error {
			return set(fd, []option{{"SO_RCVLOWAT", unix.SOL_SOCKET, unix.SO_RCVLOWAT, bytes}})
		})
	}
	return err
}
