package rules

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// answerTimeout bounds the wait for the kernel's answer, which is there
	// when the request has been sent.
	answerTimeout = 5 * time.Second
	// answerBuffer is room for the answers to a whole packet, in bytes.
	answerBuffer = 1 << 20
	// packetLength bounds the messages of a packet, so that the answers
	// have room.
	packetLength = 128
)

// socket asks ctnetlink, one packet at a time: its user sees to that. Its
// descriptor blocks, and the runtime's poller does not know it: the kernel
// answers while we send, and a poller would be woken by each answer.
type socket struct {
	packet   // what is to be asked next
	fd       int
	receiver *receiver
	// buffer is for one part of a dump.
	buffer []byte
}

// refusal is why the kernel did not do what a message asked.
type refusal struct {
	message uint32
	errno   unix.Errno
}

// openNetfilter opens a netlink socket in this thread's network namespace
// that belongs to the groups of the mask (netlink(7)).
func openNetfilter(groups uint32) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return -1, opErrorOf("open a netlink socket", "", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		return -1, errors.Join(opErrorOf("bind a netlink socket", "", err), unix.Close(fd))
	}
	return fd, nil
}

// dialConntrack opens a socket in this thread's network namespace.
func dialConntrack() (*socket, error) {
	fd, err := openNetfilter(0)
	if err != nil {
		return nil, err
	}
	patience := unix.NsecToTimeval(answerTimeout.Nanoseconds())
	for _, err := range []error{
		unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}), // to the kernel
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, answerBuffer),
		unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_CAP_ACK, 1),
	} {
		if err != nil {
			return nil, errors.Join(opErrorOf("set up a netlink socket", "", err), unix.Close(fd))
		}
	}
	return &socket{fd: fd, receiver: newReceiver(fd), buffer: make([]byte, 1<<16)}, nil
}

// next implements asker.
func (s *socket) next() *packet {
	s.reset()
	return &s.packet
}

// close ends the socket. Whoever asks later is told that it is closed: the
// descriptor's number may be another's by then.
func (s *socket) close() error {
	fd := s.fd
	s.fd = -1
	return unix.Close(fd)
}

// execute has the kernel carry out the packet, and returns the messages that it
// refused. It takes one system call to send and, if all goes well, one to
// receive: only the last message is confirmed, and the kernel works while we
// send.
func (s *socket) execute() ([]refusal, error) { return s.query(func(uint32, flow) {}) }

// query is do for messages that are answered with conntrack entries, each
// passed on with the number of its question.
func (s *socket) query(answer func(uint32, flow)) ([]refusal, error) {
	s.acknowledge()
	if err := s.send(); err != nil {
		return nil, err
	}
	a := answers{after: s.before, last: s.count, entry: answer}
	for !a.done {
		_, err := s.receiver.receive(a.takeMessage)
		if err == unix.EAGAIN {
			err = s.awaitAnswer()
		}
		if err != nil {
			return a.refused, err
		}
	}
	return a.refused, nil
}

// dump is ask for a packet of one message that is answered with many
// entries, in parts that the kernel writes while they are read.
func (s *socket) dump(answer func(flow)) ([]refusal, error) {
	s.acknowledge()
	if err := s.send(); err != nil {
		return nil, err
	}
	a := answers{after: s.before, last: s.count, entry: func(_ uint32, f flow) { answer(f) }}
	for !a.done {
		n, _, err := unix.Recvfrom(s.fd, s.buffer, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return a.refused, err
		}
		a.takeMessage(s.buffer[:n])
	}
	return a.refused, nil
}

// briefPacket is how many messages the kernel carries out so quickly that
// the scheduler need not know.
const briefPacket = 8

// send writes the packet, which the kernel carries out meanwhile.
func (s *socket) send() error {
	call := unix.Syscall
	if s.count-s.before <= briefPacket {
		call = unix.RawSyscall
	}
	for {
		_, _, errno := call(unix.SYS_WRITE, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(s.bytes))), uintptr(len(s.bytes)))
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// awaitAnswer waits for an answer that is not there yet.
func (s *socket) awaitAnswer() error {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, int(answerTimeout.Milliseconds()))
	if err == nil && n == 0 {
		err = unix.ETIMEDOUT
	}
	if err == unix.EINTR {
		err = nil // whoever waits looks again
	}
	return err
}

// answers collects what the kernel says to the messages behind the number
// after, up to last.
type answers struct {
	after, last uint32
	entry       func(uint32, flow)
	refused     []refusal
	done        bool
}

// takeMessage reads one message of the kernel.
func (a *answers) takeMessage(b []byte) {
	eachMessage(b, func(kind uint16, number uint32, body []byte) {
		switch {
		case int32(number-a.after) <= 0: // a late answer
		case kind == unix.NLMSG_DONE:
			a.done = true
		case kind == unix.NLMSG_ERROR && len(body) >= 4:
			if errno := -int32(binary.NativeEndian.Uint32(body)); errno != 0 {
				a.refused = append(a.refused, refusal{number, unix.Errno(errno)})
			}
			a.done = a.done || number == a.last
		case len(body) >= 4:
			if f, ok := parseFlow(body[4:]); ok {
				a.entry(number, f)
			}
		}
	})
}

// eachMessage walks what was received.
func eachMessage(b []byte, do func(kind uint16, number uint32, body []byte)) {
	for len(b) >= unix.NLMSG_HDRLEN {
		n := int(binary.NativeEndian.Uint32(b))
		if n < unix.NLMSG_HDRLEN || n > len(b) {
			return
		}
		do(binary.NativeEndian.Uint16(b[4:]), binary.NativeEndian.Uint32(b[8:]), b[unix.NLMSG_HDRLEN:n])
		padded := (n + unix.NLMSG_ALIGNTO - 1) &^ (unix.NLMSG_ALIGNTO - 1)
		b = b[min(padded, len(b)):]
	}
}

// opErrorOf makes an OpError of what ctnetlink refused, with its meaning where
// that is known.
func opErrorOf(op, object string, err error) error {
	for _, c := range []struct {
		errno unix.Errno
		means error
	}{
		{unix.EPERM, ErrNotPermitted},
		{unix.EACCES, ErrNotPermitted},
		{unix.EMFILE, ErrFull},
		{unix.ENOSPC, ErrFull},
		{unix.ENOMEM, ErrFull},
		{unix.EPROTONOSUPPORT, ErrUnavailable},
		{unix.EAFNOSUPPORT, ErrUnavailable},
		{unix.EOPNOTSUPP, ErrUnavailable},
	} {
		if errors.Is(err, c.errno) {
			err = fmt.Errorf("%w (%w)", c.means, err)
			break
		}
	}
	return &OpError{Op: op, Rule: object, Err: err}
}
