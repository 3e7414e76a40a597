package transparent

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// AtMark reports whether the next byte to be read is the urgent one, as
// sockatmark(3) does. A Read that begins before that byte ends before it, so
// asking after each Read finds it. Of data that has not arrived it says
// nothing: an urgent byte that comes first, and later than the question, is
// read as any other.
func (c *Conn) AtMark() (bool, error) {
	var mark int
	err := control(c.raw, func(fd int) (err error) {
		mark, err = unix.IoctlGetInt(fd, unix.SIOCATMARK)
		return os.NewSyscallError("ioctl SIOCATMARK", err)
	})
	if err != nil {
		return false, fmt.Errorf("look for urgent data from %s: %w", c.RemoteAddr(), cause(err))
	}
	return mark != 0, nil
}

// WriteUrgent writes p like Write and marks its last byte as urgent data
// (RFC 9293 section 3.8.5). It returns how many bytes were written; with an
// error the mark was not set.
func (c *Conn) WriteUrgent(p []byte) (n int, err error) {
	var failed error
	err = c.raw.Write(func(fd uintptr) bool {
		n, failed = sendUrgent(int(fd), p, n)
		return failed != unix.EAGAIN
	})
	if err == nil {
		err = os.NewSyscallError("sendmsg", failed)
	}
	if err != nil {
		return n, fmt.Errorf("write urgent data to %s: %w", c.RemoteAddr(), cause(err))
	}
	return n, nil
}

// sendUrgent sends p from n on, as far as the socket takes it, and returns how
// much of p has gone. The last byte goes by itself: when a send with MSG_OOB
// is cut short, the kernel marks the byte at which it was cut.
func sendUrgent(fd int, p []byte, n int) (int, error) {
	for n < len(p) {
		part, flags := p[n:len(p)-1], unix.MSG_MORE
		if len(part) == 0 {
			part, flags = p[n:], unix.MSG_OOB
		}
		sent, err := unix.SendmsgN(fd, part, nil, nil, flags|unix.MSG_NOSIGNAL)
		switch err {
		case nil:
			n += sent
		case unix.EINTR:
		default:
			return n, err
		}
	}
	return n, nil
}
