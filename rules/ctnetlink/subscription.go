package ctnetlink

import (
	"errors"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Subscription is a subscription to the kernel's conntrack events. Its descriptors
// are not known to the runtime's poller, which would be woken by each event:
// whoever reads chooses when to look. Its methods are for one goroutine at a
// time, but for close.
type Subscription struct {
	receiver *receiver
	// ended is an eventfd(2) that ends the wait.
	ended int
}

// Subscribe opens a subscription to new and deleted entries in this thread's
// network namespace. With a mark, the kernel passes on only those that have a
// bit of it, so that other connections of the machine do not wake us. State
// changes, six for each connection, are not subscribed to.
func Subscribe(mark uint32, size int) (*Subscription, error) {
	fd, err := openNetfilter(1<<(groupNew-1) | 1<<(groupDestroy-1))
	if err != nil {
		return nil, err
	}
	err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, size)
	if err == nil && mark != 0 {
		err = attachFilter(fd, markFilter(mark))
	}
	ended := -1
	if err == nil {
		ended, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	}
	if err != nil {
		return nil, errors.Join(OpError("subscribe to conntrack events", "", err), unix.Close(fd))
	}
	return &Subscription{newReceiver(fd), ended}, nil
}

// attachFilter has the kernel pass on only what the program accepts
// (socket(7), SO_ATTACH_FILTER).
func attachFilter(fd int, program []bpf.RawInstruction) error {
	filter := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: unsafe.SliceData(filter)})
}

// markFilter is a socket filter that passes messages whose ctaMark has a bit
// of the mark (net/core/filter.c, bpf_skb_get_nlattr).
func markFilter(mark uint32) []bpf.RawInstruction {
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadConstant{Dst: bpf.RegA, Val: headerLength},
		bpf.LoadConstant{Dst: bpf.RegX, Val: CTAMark},
		bpf.LoadExtension{Num: bpf.ExtNetlinkAttr}, // where it is, or 0
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 3},
		bpf.TAX{},
		bpf.LoadIndirect{Off: unix.NLA_HDRLEN, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: mark, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: 1 << 20},
	})
	if err != nil {
		panic(err) // the program is a constant but for one number
	}
	return program
}

// Wait returns true when events have come or were lost, and false when the
// subscription has ended.
func (s *Subscription) Wait() bool {
	fds := []unix.PollFd{{Fd: int32(s.receiver.fd), Events: unix.POLLIN}, {Fd: int32(s.ended), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		if err != unix.EINTR {
			return fds[1].Revents == 0
		}
	}
}

// Next passes on the events that have come, without waiting, as many as one
// system call brings. It fails with ENOBUFS when some were lost.
func (s *Subscription) Next(do func(kind uint16, f Flow)) (n int, err error) {
	return s.receiver.receive(func(message []byte) {
		eachMessage(message, func(kind uint16, _ uint32, body []byte) {
			if len(body) < 4 {
				return
			}
			if f, ok := parseFlow(body[4:]); ok {
				do(kind, f)
			}
		})
	})
}

// End makes wait return false from now on.
func (s *Subscription) End() error {
	_, err := unix.Write(s.ended, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	return err
}

// Close gives the descriptors back, once nobody waits any more. Whoever reads
// later is told that the subscription is closed.
func (s *Subscription) Close() error {
	fd := s.receiver.fd
	s.receiver.fd = -1
	return errors.Join(unix.Close(fd), unix.Close(s.ended))
}
