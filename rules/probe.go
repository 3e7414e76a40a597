package rules

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/alg/expect"
)

// probeExpectations tries whether pinholes can be opened as conntrack expectations, in
// the network namespace in which it runs: it does so once, between addresses
// that nobody has (RFC 5737), asks the kernel what it understood, and takes
// everything back. Its error says in words what is missing; it wraps
// ErrUnavailable, ErrNotPermitted or ErrFull where that is known.
func probeExpectations(ctx context.Context, mark uint32, eventBuffer int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	events, err := subscribe(mark, eventBuffer)
	if err != nil {
		return fmt.Errorf("no conntrack events: %w", err)
	}
	k, err := dialConntrack()
	if err != nil {
		return errors.Join(err, events.close())
	}
	return errors.Join(probe(k, mark), k.close(), events.close())
}

func probe(k asker, mark uint32) error {
	e := expect.Expectation{
		From:   netip.AddrFrom4([4]byte{192, 0, 2, 1}),
		To:     netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 2}), 40000),
		Target: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, 3}), 40001),
		Seen:   netip.AddrFrom4([4]byte{198, 51, 100, 4}),
	}
	s := newMasterEntry(addressesOf(e), 1)
	steps := []struct {
		append  func(*packet) uint32
		without func(unix.Errno) string
	}{
		{s.deleteMessage, withoutConntrack},
		{func(p *packet) uint32 { return s.createMessage(p, mark) }, withoutHelper},
		{func(p *packet) uint32 { return createMessage(p, s, e) }, withoutNAT},
		{func(p *packet) uint32 { return limitMessage(p, s, e, time.Minute) }, withoutLimit},
		{func(p *packet) uint32 { return withdrawMessage(p, e) }, withoutLimit},
		{s.deleteMessage, withoutConntrack},
	}
	for n, step := range steps {
		step.append(k.next())
		refused, err := k.execute()
		if err != nil {
			return opErrorOf("probe conntrack", "", err)
		}
		if n == 0 && len(refused) > 0 && refused[0].errno == unix.ENOENT {
			continue // as it should be: there was none to remove
		}
		if len(refused) > 0 {
			s.deleteMessage(k.next())
			k.execute() // it may not be there
			errno := refused[0].errno
			return fmt.Errorf("%s: %w", step.without(errno), opErrorOf("probe conntrack", "", errno))
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
