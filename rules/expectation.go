package rules

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/alg/expect"
	"ftpalg/rules/rule"
)

// expectedTuple is the tuple that a promised connection shows, but for its source
// port.
func expectedTuple(e expect.Expectation) tuple {
	return tuple{netip.AddrPortFrom(e.From, 0), e.To}
}

// exactMask is the mask over it: everything but the source port.
func exactMask(f Family) tuple {
	ones := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	if f == IPv6 {
		var b [16]byte
		for i := range b {
			b[i] = 0xff
		}
		ones = netip.AddrFrom16(b)
	}
	return tuple{netip.AddrPortFrom(ones, 0), netip.AddrPortFrom(ones, 0xffff)}
}

// createMessage appends the message that makes a promise under a
// shadow. The connection gets the addresses of the shadow's reply direction
// and the target's port. It is given no helper of its own.
func createMessage(p *packet, s *masterEntry, e expect.Expectation) uint32 {
	f := s.family()
	return p.message(expectNew, unix.NLM_F_CREATE|unix.NLM_F_EXCL, f, func() {
		p.tuple(ctaExpectMaster, s.orig)
		p.tuple(ctaExpectTuple, expectedTuple(e))
		p.tuple(ctaExpectMask, exactMask(f))
		p.nested(ctaExpectNAT, func() {
			p.uint32(ctaExpectNATDir, 0)
			port := netip.AddrPortFrom(e.Target.Addr(), e.Target.Port())
			p.tuple(ctaExpectNATTuple, tuple{port, netip.AddrPortFrom(e.Seen, 0)})
		})
		p.text(ctaExpectFunction, followMaster)
	})
}

// limitMessage appends the message that ends a promise in the kernel by
// its own timer. A new one gets the helper's five minutes whatever it asks
// for; the shadow's timeout is no substitute, since the kernel collects what
// has timed out a minute later only (nf_conntrack_core.c, gc_worker).
func limitMessage(p *packet, s *masterEntry, e expect.Expectation, life time.Duration) uint32 {
	f := s.family()
	return p.message(expectNew, 0, f, func() {
		p.tuple(ctaExpectMaster, s.orig)
		p.tuple(ctaExpectTuple, expectedTuple(e))
		p.tuple(ctaExpectMask, exactMask(f))
		p.uint32(ctaExpectTimeout, seconds(life))
	})
}

// withdrawMessage appends the message that withdraws a promise.
func withdrawMessage(p *packet, e expect.Expectation) uint32 {
	return p.message(expectDelete, 0, rule.FamilyOf(e.From), func() { p.tuple(ctaExpectTuple, expectedTuple(e)) })
}

func describe(e expect.Expectation) string {
	return fmt.Sprintf("expect proto=6 src=%s dst=%s sport=0 dport=%d nat-src=%s nat-dst=%s nat-dport=%d helper=%s",
		e.From, e.To.Addr(), e.To.Port(), e.Seen, e.Target.Addr(), e.Target.Port(), helper)
}
