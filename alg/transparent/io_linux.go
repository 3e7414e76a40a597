package transparent

import (
	"io"
	"net"
	"os"
	"syscall"
	"unsafe"
)

// transfer is one read or write under way. A method value of it is made once
// for each direction of a connection, so that reading and writing allocate
// nothing.
type transfer struct {
	buf   []byte
	n     int
	errno syscall.Errno
}

// once tries a system call that cannot block. It is a raw one: the scheduler
// need not know of it, and for a short line what the scheduler would do costs
// more than the call.
func (t *transfer) once(trap, fd uintptr) (done bool) {
	for {
		n, _, errno := syscall.RawSyscall(trap, fd, uintptr(unsafe.Pointer(unsafe.SliceData(t.buf))), uintptr(len(t.buf)))
		switch errno {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		}
		t.n, t.errno = int(n), errno
		return true
	}
}

func (t *transfer) read(fd uintptr) bool { return t.once(syscall.SYS_READ, fd) }

// write goes on until all is written.
func (t *transfer) write(fd uintptr) bool {
	for len(t.buf) > 0 && t.once(syscall.SYS_WRITE, fd) {
		if t.errno != 0 {
			return true
		}
		t.buf = t.buf[t.n:]
	}
	return len(t.buf) == 0
}

// Read reads into p, as net.Conn says. It is for one goroutine at a time.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.reading.buf = p
	err := c.raw.Read(c.tryRead)
	c.reading.buf = nil
	switch {
	case err != nil:
		return 0, err
	case c.reading.errno != 0:
		return 0, c.opError("read", c.reading.errno)
	case c.reading.n == 0:
		return 0, io.EOF
	}
	return c.reading.n, nil
}

// Write writes all of p, as net.Conn says. It is for one goroutine at a time.
func (c *Conn) Write(p []byte) (int, error) {
	c.writing.buf, c.writing.errno = p, 0
	err := c.raw.Write(c.tryWrite)
	written := len(p) - len(c.writing.buf)
	c.writing.buf = nil
	if err == nil && c.writing.errno != 0 {
		err = c.opError("write", c.writing.errno)
	}
	return written, err
}

func (c *Conn) opError(op string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(op, errno)}
}
