package expectation

import (
	"fmt"
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/rule"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// expectedTuple is the tuple that a promised connection shows, but for its source
// port.
func expectedTuple(e expect.Expectation) ctnetlink.Tuple {
	return ctnetlink.Tuple{Src: netip.AddrPortFrom(e.From, 0), Dst: e.Reached}
}

// exactMask is the mask over it: everything but the source port.
func exactMask(f rule.Family) ctnetlink.Tuple {
	ones := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if f == rule.IPv6 {
		var b [16]byte
		for i := range b {
			b[i] = 0xff
		}
		ones = netip.AddrFrom16(b)
	}
	return ctnetlink.Tuple{Src: netip.AddrPortFrom(ones, 0), Dst: netip.AddrPortFrom(ones, 0xffff)}
}

// createMessage appends the message that makes a promise under a
// master entry. The connection gets the addresses of the master entry's reply direction
// and the target's port. It is given no helper of its own.
func createMessage(p *ctnetlink.Packet, s *masterEntry, e expect.Expectation) uint32 {
	f := s.family()
	return p.Message(ctnetlink.ExpectNew, unix.NLM_F_CREATE|unix.NLM_F_EXCL, f, func() {
		p.Tuple(ctnetlink.CTAExpectMaster, s.orig)
		p.Tuple(ctnetlink.CTAExpectTuple, expectedTuple(e))
		p.Tuple(ctnetlink.CTAExpectMask, exactMask(f))
		p.Nested(ctnetlink.CTAExpectNAT, func() {
			p.Uint32(ctnetlink.CTAExpectNATDir, 0)
			p.Tuple(ctnetlink.CTAExpectNATTuple, ctnetlink.Tuple{Src: e.Target, Dst: netip.AddrPortFrom(e.Seen, 0)})
		})
		p.Text(ctnetlink.CTAExpectFunction, followMaster)
	})
}

// limitMessage appends the message that ends a promise in the kernel by
// its own timer. A new one gets the helper's five minutes whatever it asks
// for; the master entry's timeout is no substitute, since the kernel collects what
// has timed out a minute later only (nf_conntrack_core.c, gc_worker).
func limitMessage(p *ctnetlink.Packet, s *masterEntry, e expect.Expectation, life time.Duration) uint32 {
	f := s.family()
	return p.Message(ctnetlink.ExpectNew, 0, f, func() {
		p.Tuple(ctnetlink.CTAExpectMaster, s.orig)
		p.Tuple(ctnetlink.CTAExpectTuple, expectedTuple(e))
		p.Tuple(ctnetlink.CTAExpectMask, exactMask(f))
		p.Uint32(ctnetlink.CTAExpectTimeout, ctnetlink.Seconds(life))
	})
}

// withdrawMessage appends the message that withdraws a promise.
func withdrawMessage(p *ctnetlink.Packet, e expect.Expectation) uint32 {
	return withdrawTuple(p, expectedTuple(e))
}

func withdrawTuple(p *ctnetlink.Packet, t ctnetlink.Tuple) uint32 {
	return p.Message(ctnetlink.ExpectDelete, 0, rule.FamilyOf(t.Src.Addr()), func() { p.Tuple(ctnetlink.CTAExpectTuple, t) })
}

func Describe(e expect.Expectation) string {
	return fmt.Sprintf("expect proto=6 src=%s dst=%s sport=0 dport=%d nat-src=%s nat-dst=%s nat-dport=%d helper=%s",
		e.From, e.Reached.Addr(), e.Reached.Port(), e.Seen, e.Target.Addr(), e.Target.Port(), helper)
}
