package transparent

import (
	"fmt"
	"net"
	"syscall"
)

// Conn is the socket of a control connection: a TCP connection that carries
// urgent data in line and notices when its peer vanishes. Its methods are
// safe for concurrent use, but for those that say otherwise.
type Conn struct {
	*net.TCPConn
	raw syscall.RawConn

	reading, writing  transfer
	tryRead, tryWrite func(fd uintptr) bool
}

// Made makes a Conn of a connection that another process, or a listener of
// Listen, has made. It has their options (tcp(7)), but for those that package
// net has replaced by its own. When it fails, c is still open.
func Made(c *net.TCPConn) (*Conn, error) {
	w, err := newConn(c)
	if err == nil {
		err = c.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: keepIdle, Interval: keepInterval, Count: keepProbes})
	}
	if err != nil {
		return nil, fmt.Errorf("prepare connection from %s: %w", c.RemoteAddr(), cause(err))
	}
	return w, nil
}

func newConn(c *net.TCPConn) (*Conn, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	w := &Conn{TCPConn: c, raw: raw}
	w.tryRead, w.tryWrite = w.reading.read, w.writing.write
	return w, nil
}

// Abort closes the connection with a reset, so that the peer learns that the
// stream was cut (SO_LINGER of 0 s, socket(7)). What was written and has not
// left is lost.
func (c *Conn) Abort() error {
	if err := c.SetLinger(0); err != nil {
		return fmt.Errorf("abort connection with %s: %w", c.RemoteAddr(), cause(err))
	}
	return c.Close()
}
