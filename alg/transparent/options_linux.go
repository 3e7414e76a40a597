package transparent

import (
	"errors"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A silent peer is asked after keepIdle, then every keepInterval, and is given
// up after keepProbes questions without an answer; unacknowledged data is
// given up after the same time. So a peer that has vanished is noticed within
// two minutes, and so is one that takes no data for that long.
const (
	keepIdle     = 60 * time.Second
	keepInterval = 20 * time.Second
	keepProbes   = 3
	userTimeout  = keepIdle + keepProbes*keepInterval
)

// setOptions gives fd what every control connection has (socket(7), tcp(7)).
// A connection inherits these options from the listener that accepts it.
func setOptions(fd int) error {
	return set(fd, append(slices.Clip(dataOptions), option{"TCP_USER_TIMEOUT", unix.SOL_TCP, unix.TCP_USER_TIMEOUT, int(userTimeout / time.Millisecond)}))
}

// setDataOptions gives fd what every relayed data connection has. A peer may
// take as long as it likes to read: a tape has to be changed.
func setDataOptions(fd int) error { return set(fd, dataOptions) }

// option is one that setsockopt(2) sets to a number.
type option struct {
	name              string
	level, opt, value int
}

var dataOptions = []option{
	// Out of line, the urgent byte of an ABOR would be lost (RFC 959
	// section 4.1.3, tcp(7)).
	{"SO_OOBINLINE", unix.SOL_SOCKET, unix.SO_OOBINLINE, 1},
	{"TCP_NODELAY", unix.SOL_TCP, unix.TCP_NODELAY, 1},
	{"TCP_KEEPIDLE", unix.SOL_TCP, unix.TCP_KEEPIDLE, int(keepIdle / time.Second)},
	{"TCP_KEEPINTVL", unix.SOL_TCP, unix.TCP_KEEPINTVL, int(keepInterval / time.Second)},
	{"TCP_KEEPCNT", unix.SOL_TCP, unix.TCP_KEEPCNT, keepProbes},
	{"SO_KEEPALIVE", unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
}

func set(fd int, options []option) error {
	for _, o := range options {
		if err := unix.SetsockoptInt(fd, o.level, o.opt, o.value); err != nil {
			return os.NewSyscallError("setsockopt "+o.name, err)
		}
	}
	return nil
}

// setTransparent lets fd be bound to addresses that are not this machine's
// (ip(7), IP_TRANSPARENT).
func setTransparent(fd int, v6 bool) error {
	name, level, opt := "IP_TRANSPARENT", unix.SOL_IP, unix.IP_TRANSPARENT
	if v6 {
		name, level, opt = "IPV6_TRANSPARENT", unix.SOL_IPV6, unix.IPV6_TRANSPARENT
	}
	err := os.NewSyscallError("setsockopt "+name, unix.SetsockoptInt(fd, level, opt, 1))
	if errors.Is(err, unix.EPERM) {
		return &CapabilityError{Capability: "CAP_NET_ADMIN", Err: err}
	}
	return err
}

// control runs f on the descriptor of a socket and returns the first error of
// either.
func control(c syscall.RawConn, f func(fd int) error) error {
	var failed error
	if err := c.Control(func(fd uintptr) { failed = f(int(fd)) }); err != nil {
		return err
	}
	return failed
}
