package opener

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
)

// claimed is an abstract Unix socket: each network namespace has its own, and
// it goes with the process that holds it, however that ends (unix(7)).
const claimed = "@ftpalg"

// claim makes this process the one gateway of its network namespace, by the
// name claimed, until that is closed. Two would take each other's rules for
// leftovers. It is nil where another program has the name that cannot be a
// gateway.
func claim(name string) (*net.UnixListener, error) {
	at := &net.UnixAddr{Name: name, Net: "unix"}
	l, err := net.ListenUnix(at.Net, at)
	if err == nil {
		return l, nil
	}
	if !errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("claim the network namespace: %w", err)
	}
	by, err := holder(at)
	if err != nil {
		return nil, fmt.Errorf("claim the network namespace: another ftpalg holds it: %w", err)
	}
	if !rightful(by) {
		return nil, nil
	}
	return nil, fmt.Errorf("claim the network namespace: another ftpalg, process %d, keeps its rules here; stop it first", by.Pid)
}

// rightful reports whether a process may be a gateway. Anybody else could take
// the name, but makes no rules, and must not keep a gateway from starting.
func rightful(by *syscall.Ucred) bool { return by.Uid == 0 || int(by.Uid) == os.Geteuid() }

// holder returns the process that listens at a Unix socket.
func holder(at *net.UnixAddr) (by *syscall.Ucred, err error) {
	c, err := net.DialUnix(at.Net, nil, at)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	failed := raw.Control(func(fd uintptr) {
		by, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	return by, errors.Join(failed, err)
}
