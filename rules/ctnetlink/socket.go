package ctnetlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"ftpalg/rules/report"
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
	// MostMessages bounds the messages of a packet, so that the answers
	// have room.
	MostMessages = 128
)

// Socket asks ctnetlink, one packet at a time: its user sees to that. Its
// descriptor blocks, and the runtime's poller does not know it: the kernel
// answers while we send, and a poller would be woken by each answer.
type Socket struct {
	Packet   // what is to be asked next
	fd       int
	receiver *receiver
	// buffer is for one part of a dump.
	buffer []byte
}

// Refusal is why the kernel did not do what a message asked.
type Refusal struct {
	Message uint32
	Errno   unix.Errno
}

// openNetfilter opens a netlink socket in this thread's network namespace
// that belongs to the groups of the mask (netlink(7)).
func openNetfilter(groups uint32) (int, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return -1, OpError("open a netlink socket", "", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		return -1, errors.Join(OpError("bind a netlink socket", "", err), unix.Close(fd))
	}
	return fd, nil
}

// Dial opens a socket in this thread's network namespace.
func Dial() (*Socket, error) {
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
			return nil, errors.Join(OpError("set up a netlink socket", "", err), unix.Close(fd))
		}
	}
	return &Socket{fd: fd, receiver: newReceiver(fd), buffer: make([]byte, 1<<16)}, nil
}

// Next implements asker.
func (s *Socket) Next() *Packet {
	s.Reset()
	return &s.Packet
}

// Close ends the socket. Whoever asks later is told that it is closed: the
// descriptor's number may belong to another file by then.
func (s *Socket) Close() error {
	fd := s.fd
	s.fd = -1
	return unix.Close(fd)
}

// Execute has the kernel carry out the packet, and returns the messages that it
// refused. It takes one system call to send and, if all goes well, one to
// receive: only the last message is confirmed, and the kernel works while we
// send.
func (s *Socket) Execute() ([]Refusal, error) { return s.Query(func(Flow) {}) }

// Query is execute for messages that are answered with conntrack entries.
func (s *Socket) Query(answer func(Flow)) ([]Refusal, error) {
	s.acknowledge()
	if err := s.send(); err != nil {
		return nil, err
	}
	a := answers{after: s.before, last: s.count, entry: flows(answer)}
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

// flows reads entries.
func flows(do func(Flow)) func(attributes []byte) {
	return func(attributes []byte) {
		if f, ok := parseFlow(attributes); ok {
			do(f)
		}
	}
}

// dump is query for a packet of one message that is answered with many
// entries, in parts that the kernel writes while they are read. It passes on
// the attributes of each.
func (s *Socket) dump(entry func(attributes []byte)) ([]Refusal, error) {
	s.acknowledge()
	if err := s.send(); err != nil {
		return nil, err
	}
	a := answers{after: s.before, last: s.count, entry: entry}
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
func (s *Socket) send() error {
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
func (s *Socket) awaitAnswer() error {
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
	entry       func(attributes []byte)
	refused     []Refusal
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
				a.refused = append(a.refused, Refusal{number, unix.Errno(errno)})
			}
			a.done = a.done || number == a.last
		case len(body) >= 4:
			a.entry(body[4:])
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

// OpError makes an OpError of what ctnetlink refused, with its meaning where
// that is known.
func OpError(op, object string, err error) error {
	for _, c := range []struct {
		errno unix.Errno
		means error
	}{
		{unix.EPERM, report.ErrNotPermitted},
		{unix.EACCES, report.ErrNotPermitted},
		{unix.EMFILE, report.ErrFull},
		{unix.ENOSPC, report.ErrFull},
		{unix.ENOMEM, report.ErrFull},
		{unix.EPROTONOSUPPORT, report.ErrUnavailable},
		{unix.EAFNOSUPPORT, report.ErrUnavailable},
		{unix.EOPNOTSUPP, report.ErrUnavailable},
	} {
		if errors.Is(err, c.errno) {
			err = fmt.Errorf("%w (%w)", c.means, err)
			break
		}
	}
	return &report.OpError{Op: op, Rule: object, Err: err}
}
