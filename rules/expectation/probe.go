package expectation

import (
	"context"
	"errors"
	"fmt"
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// Probe tries whether pinholes can be opened as conntrack expectations, in
// the network namespace in which it runs: it does so once, between addresses
// that nobody has (RFC 5737), asks the kernel what it understood, and takes
// everything back. Its error says in words what is missing; it wraps
// ErrUnavailable, ErrNotPermitted or ErrFull where that is known.
func Probe(ctx context.Context, mark uint32, eventBuffer int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	events, err := ctnetlink.Subscribe(mark, eventBuffer)
	if err != nil {
		return fmt.Errorf("no conntrack events: %w", err)
	}
	k, err := ctnetlink.Dial()
	if err != nil {
		return errors.Join(err, events.Close())
	}
	return errors.Join(probeKernel(k, mark), k.Close(), events.Close())
}

func probeKernel(k Asker, mark uint32) error {
	e := expect.Expectation{
		From:    netip.AddrFrom4([4]byte{192, 0, 2, 1}),
		Reached: netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 2}), 40000),
		Target:  netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, 3}), 40001),
		Seen:    netip.AddrFrom4([4]byte{198, 51, 100, 4}),
	}
	s := newMasterEntry(addressesOf(e), 1)
	steps := []struct {
		append  func(*ctnetlink.Packet) uint32
		without func(unix.Errno) string
	}{
		{s.deleteMessage, withoutConntrack},
		{func(p *ctnetlink.Packet) uint32 { return s.createMessage(p, mark) }, withoutHelper},
		{func(p *ctnetlink.Packet) uint32 { return createMessage(p, s, e) }, withoutNAT},
		{func(p *ctnetlink.Packet) uint32 { return limitMessage(p, s, e, time.Minute) }, withoutLimit},
		{func(p *ctnetlink.Packet) uint32 { return withdrawMessage(p, e) }, withoutLimit},
		{s.deleteMessage, withoutConntrack},
	}
	for n, step := range steps {
		step.append(k.Next())
		refused, err := k.Execute()
		if err != nil {
			return ctnetlink.OpError("probe conntrack", "", err)
		}
		if n == 0 && len(refused) > 0 && refused[0].Errno == unix.ENOENT {
			continue // as it should be: there was none to remove
		}
		if len(refused) > 0 {
			s.deleteMessage(k.Next())
			k.Execute() // it may not be there
			errno := refused[0].Errno
			return fmt.Errorf("%s: %w", step.without(errno), ctnetlink.OpError("probe conntrack", "", errno))
		}
	}
	return nil
}

func withoutConntrack(errno unix.Errno) string {
	if errno == unix.EINVAL || errno == unix.EOPNOTSUPP {
		return "no ctnetlink (modprobe nf_conntrack_netlink)"
	}
	return "ctnetlink refuses"
}

func withoutHelper(errno unix.Errno) string {
	switch errno {
	case unix.EOPNOTSUPP:
		return "no conntrack helper for ftp (modprobe nf_conntrack_ftp)"
	case unix.ENOMEM:
		return "conntrack table full (sysctl net.netfilter.nf_conntrack_max)"
	}
	return "no conntrack entry can be made"
}

func withoutNAT(errno unix.Errno) string {
	switch errno {
	case unix.EINVAL, unix.EOPNOTSUPP:
		return "no NAT for expectations (modprobe nf_nat)"
	case unix.EMFILE:
		return "expectation table full (sysctl net.netfilter.nf_conntrack_expect_max)"
	}
	return "no expectation can be made"
}

func withoutLimit(unix.Errno) string { return "an expectation was not kept" }
