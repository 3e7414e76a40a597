package ctnetlink

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// MostAtOnce is how many messages one system call can bring.
	MostAtOnce = 32
	// slotLength is room for one message about one entry, in bytes; with every
	// attribute that the kernel knows it is a few hundred long.
	slotLength = 2 << 10
)

// errTruncated says that a message was longer than its slot.
var errTruncated = errors.New("message too long")

// receiver receives many messages with one system call (recvmmsg(2)), for
// connection tracking sends each event and each answer by itself.
type receiver struct {
	fd      int
	headers [MostAtOnce]messageHeader
	vectors [MostAtOnce]unix.Iovec
	space   []byte
}

// messageHeader is struct mmsghdr (sys/socket.h).
type messageHeader struct {
	unix.Msghdr
	length uint32
}

func newReceiver(fd int) *receiver {
	m := &receiver{fd: fd, space: make([]byte, MostAtOnce*slotLength)}
	for i := range m.headers {
		m.vectors[i].Base = &m.space[i*slotLength]
		m.vectors[i].SetLen(slotLength)
		m.headers[i].Iov = &m.vectors[i]
		m.headers[i].SetIovlen(1)
	}
	return m
}

// receive takes what has come, as far as the slots go, and hands out each
// message; the next call overwrites them. It does not wait: the error is
// EAGAIN if nothing has come.
//
// The call is a raw one: it cannot block, and what the scheduler would do
// around it costs more than it does.
func (m *receiver) receive(do func(message []byte)) (n int, err error) {
	for {
		r, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(m.fd), uintptr(unsafe.Pointer(&m.headers)), MostAtOnce, unix.MSG_DONTWAIT, 0, 0)
		switch errno {
		case 0:
		case unix.EINTR:
			continue
		default:
			return 0, errno
		}
		n = int(r)
		break
	}
	for i := range n {
		h := &m.headers[i]
		if h.Flags&unix.MSG_TRUNC != 0 {
			err = errTruncated
			continue
		}
		do(m.space[i*slotLength:][:h.length])
	}
	return n, err
}
