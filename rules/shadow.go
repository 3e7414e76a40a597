package rules

import (
	"crypto/rand"
	"encoding/binary"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/alg/expect"
)

// helper is the kernel's helper on our shadows, and follow the function that
// gives a data connection its shadow's addresses (net/netfilter/
// nf_conntrack_ftp.c, nf_nat_core.c: nf_nat_follow_master).
const (
	helper = "ftp"
	follow = "nat-follow-master"
)

const (
	// promiseLife is for how long the kernel keeps an expectation that is
	// not refreshed: a process that dies leaves no hole for longer.
	promiseLife = 60 * time.Second
	// shadowLife is the same for a shadow. It outlives its expectation.
	shadowLife = 2 * promiseLife
)

// addresses are the addresses that a data connection gets: where it goes, and
// what the target sees.
type addresses struct{ target, seen netip.Addr }

func addressesOf(e expect.Expectation) addresses { return addresses{e.Target.Addr(), e.Seen} }

// shadow is a conntrack entry that no packet belongs to. An expectation needs
// a master entry that carries a helper, and its connection gets the addresses
// of the master's reply direction.
//
// Packets that belonged to it would be parsed by the helper, which would
// replace our expectation by what it finds in them. None can:
//
//   - The original direction is between random addresses and ports: 80 bits
//     with IPv4, 272 with IPv6, that only root can read. They are loopback
//     addresses and multicast ones, which the kernel takes from no wire as a
//     source, so that no accident hits them either.
//   - The reply direction has the true addresses, and comes from port 0. But
//     the entry is in TCP state NONE, in which whatever comes in reply is
//     invalid and belongs to no entry (nf_conntrack_proto_tcp.c,
//     tcp_conntracks). No rule has to look at packets for that.
//
// A shadow has room for one expectation at a time (the helper's policy) and
// serves one promise after another.
type shadow struct {
	orig, reply tuple
	// until is when the kernel may forget it.
	until time.Time
}

// newShadow returns a shadow that the kernel does not know yet. The number
// tells it from the others with the same addresses.
func newShadow(to addresses, number uint16) *shadow {
	var secret [36]byte
	rand.Read(secret[:]) // never fails (crypto/rand)
	a, b := obscure(to.target, secret[:16]), obscure(to.target, secret[16:32])
	return &shadow{
		orig: tuple{
			netip.AddrPortFrom(a, binary.BigEndian.Uint16(secret[32:])),
			netip.AddrPortFrom(b, binary.BigEndian.Uint16(secret[34:])),
		},
		reply: tuple{netip.AddrPortFrom(to.target, 0), netip.AddrPortFrom(to.seen, number)},
	}
}

// obscure makes a loopback or multicast address of random bytes.
func obscure(like netip.Addr, random []byte) netip.Addr {
	if like.Is4() {
		return netip.AddrFrom4([4]byte{127, random[0], random[1], random[2]})
	}
	a := [16]byte(random)
	a[0] = 0xff
	return netip.AddrFrom16(a)
}

// isShadow recognises the shadows of every process that uses this mark.
func (f flow) isShadow(mark uint32) bool {
	a := f.orig.src.Addr()
	return f.mark&mark != 0 && f.reply.src.Port() == 0 && (a.Is4() && a.IsLoopback() || a.Is6() && a.IsMulticast())
}

// create appends the message that makes the entry.
func (s *shadow) create(p *packet, mark uint32) uint32 {
	return p.message(flowNew, unix.NLM_F_CREATE|unix.NLM_F_EXCL, s.family(), func() {
		p.tuple(ctaTupleOrig, s.orig)
		p.tuple(ctaTupleReply, s.reply)
		p.uint32(ctaStatus, statusConfirmed|statusSeenReply|statusAssured)
		p.uint32(ctaTimeout, seconds(shadowLife))
		p.uint32(ctaMark, mark)
		p.nested(ctaHelp, func() { p.text(ctaHelpName, helper) })
	})
}

// refresh appends the message that prolongs the entry's life.
func (s *shadow) refresh(p *packet) uint32 {
	return p.message(flowNew, 0, s.family(), func() {
		p.tuple(ctaTupleOrig, s.orig)
		p.uint32(ctaTimeout, seconds(shadowLife))
	})
}

// remove appends the message that deletes the entry, and its expectation
// with it. Data connections that came through it stay.
func (s *shadow) remove(p *packet) uint32 { return removeFlow(p, s.orig, 0) }

func (s *shadow) family() Family { return familyOf(s.orig.src.Addr()) }

// removeFlow appends the message that deletes an entry, if it has that id
// still; 0 stands for any.
func removeFlow(p *packet, orig tuple, id uint32) uint32 {
	return p.message(flowDelete, 0, familyOf(orig.src.Addr()), func() {
		p.tuple(ctaTupleOrig, orig)
		if id != 0 {
			p.uint32(ctaID, id)
		}
	})
}

// seconds rounds up to what ctnetlink counts in.
func seconds(d time.Duration) uint32 {
	return uint32(max((d+time.Second-1)/time.Second, 1))
}
