package rules

import (
	"errors"
	"syscall"

	"github.com/mdlayher/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// ctevents is a subscription to the kernel's conntrack events.
type ctevents struct {
	conn   *netlink.Conn
	raw    syscall.RawConn
	buffer []byte
}

// subscribe opens a subscription to new and deleted entries. With a mark, the
// kernel passes on only those that have a bit of it, so that other
// connections of the machine do not wake us. State changes, six for each
// connection, are not subscribed to.
func subscribe(mark uint32, size int) (*ctevents, error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, ctError("open a netlink socket", "", err)
	}
	raw, err := conn.SyscallConn()
	if err == nil {
		err = conn.SetReadBuffer(size)
	}
	if err == nil && mark != 0 {
		err = conn.SetBPF(markFilter(mark))
	}
	for _, group := range []uint32{groupNew, groupDestroy} {
		if err == nil {
			err = conn.JoinGroup(group)
		}
	}
	if err != nil {
		return nil, errors.Join(ctError("subscribe to conntrack events", "", err), conn.Close())
	}
	return &ctevents{conn, raw, make([]byte, 1<<16)}, nil
}

// markFilter is a socket filter that passes messages whose ctaMark has a bit
// of the mark (socket(7), SO_ATTACH_FILTER; net/core/filter.c,
// bpf_skb_get_nlattr).
func markFilter(mark uint32) []bpf.RawInstruction {
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadConstant{Dst: bpf.RegA, Val: headerLength},
		bpf.LoadConstant{Dst: bpf.RegX, Val: ctaMark},
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

// next waits for events and passes them on. It fails with ENOBUFS when some
// were lost, and with a closed file when the subscription has ended.
func (s *ctevents) next(do func(kind uint16, f flow)) error {
	var n int
	var failed error
	err := s.raw.Read(func(fd uintptr) bool {
		n, _, failed = unix.Recvfrom(int(fd), s.buffer, 0)
		return failed != unix.EAGAIN && failed != unix.EINTR
	})
	if err := errors.Join(err, failed); err != nil {
		return err
	}
	eachMessage(s.buffer[:n], func(kind uint16, _ uint32, body []byte) {
		if len(body) < 4 {
			return
		}
		if f, ok := parseFlow(body[4:]); ok {
			do(kind, f)
		}
	})
	return nil
}

func (s *ctevents) close() error { return s.conn.Close() }
