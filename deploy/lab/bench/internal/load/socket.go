package load

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// backlog is the length of a data listener's queue: one connection comes.
const backlog = 1

// socket is a blocking TCP socket over IPv4. A call that takes longer than
// its timeout fails.
type socket int

func newSocket(timeout time.Duration) (socket, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("socket: %w", err)
	}
	limit := unix.NsecToTimeval(timeout.Nanoseconds())
	for _, option := range []int{unix.SO_RCVTIMEO, unix.SO_SNDTIMEO} {
		if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, option, &limit); err != nil {
			return -1, closing(socket(fd), fmt.Errorf("setsockopt: %w", err))
		}
	}
	return socket(fd), nil
}

// dial connects from wherever the kernel likes.
func dial(to netip.AddrPort, timeout time.Duration) (socket, error) {
	s, err := newSocket(timeout)
	if err != nil {
		return -1, err
	}
	address := &unix.SockaddrInet4{Addr: to.Addr().As4(), Port: int(to.Port())}
	for {
		err = unix.Connect(int(s), address)
		switch err {
		case nil, unix.EISCONN: // the latter after an interruption
			return s, nil
		case unix.EINTR, unix.EALREADY:
		default:
			return -1, closing(s, fmt.Errorf("connect to %s: %w", to, err))
		}
	}
}

// The ports of data listeners are drawn at random from lowestPort on. The
// kernel's own choice (bind(2) to port 0) becomes slow when thousands of ended
// connections rest in TIME_WAIT.
const (
	lowestPort = 10000
	ports      = 50000
	draws      = 100
)

// listen waits on a port of an address that is free, and returns it.
func listen(at netip.Addr, timeout time.Duration) (socket, uint16, error) {
	var err error
	for range draws {
		port := uint16(lowestPort + rand.IntN(ports))
		var s socket
		if s, err = listenOn(netip.AddrPortFrom(at, port), timeout); err == nil {
			return s, port, nil
		}
	}
	return -1, 0, err
}

func listenOn(at netip.AddrPort, timeout time.Duration) (socket, error) {
	s, err := newSocket(timeout)
	if err != nil {
		return -1, err
	}
	if err := unix.SetsockoptInt(int(s), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return -1, closing(s, fmt.Errorf("setsockopt: %w", err))
	}
	if err := unix.Bind(int(s), &unix.SockaddrInet4{Addr: at.Addr().As4(), Port: int(at.Port())}); err != nil {
		return -1, closing(s, fmt.Errorf("bind to %s: %w", at, err))
	}
	if err := unix.Listen(int(s), backlog); err != nil {
		return -1, closing(s, fmt.Errorf("listen on %s: %w", at, err))
	}
	return s, nil
}

func (s socket) accept() (socket, error) {
	for {
		fd, _, err := unix.Accept4(int(s), unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			return socket(fd), nil
		case unix.EINTR:
		default:
			return -1, fmt.Errorf("accept: %w", err)
		}
	}
}

// Read implements io.Reader.
func (s socket) Read(p []byte) (int, error) { return s.receive(p, 0) }

// discard is Read of up to n bytes without looking at them: the kernel drops
// what has come (MSG_TRUNC, tcp(7)).
func (s socket) discard(n []byte) (int, error) { return s.receive(n, unix.MSG_TRUNC) }

func (s socket) receive(p []byte, flags int) (int, error) {
	for {
		n, _, err := unix.Recvfrom(int(s), p, flags)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, fmt.Errorf("read: %w", err)
		case n == 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}

// Write implements io.Writer.
func (s socket) Write(p []byte) (written int, err error) {
	for written < len(p) {
		n, err := unix.SendmsgN(int(s), p[written:], nil, nil, unix.MSG_NOSIGNAL)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return written, fmt.Errorf("write: %w", err)
		default:
			written += n
		}
	}
	return written, nil
}

// Close implements io.Closer.
func (s socket) Close() error { return unix.Close(int(s)) }

// noDelay sends what is written at once (TCP_NODELAY, tcp(7)).
func (s socket) noDelay() error {
	return unix.SetsockoptInt(int(s), unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
}

// closing closes a socket that an error has made useless.
func closing(s io.Closer, err error) error {
	_ = s.Close() // err says more
	return err
}
