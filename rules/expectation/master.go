package expectation

import (
	"crypto/rand"
	"encoding/binary"
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/rule"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// helper is the kernel's helper on our master entries, and follow the function that
// gives a data connection its master entry's addresses (net/netfilter/
// nf_conntrack_ftp.c, nf_nat_core.c: nf_nat_follow_master).
const (
	helper       = "ftp"
	followMaster = "nat-follow-master"
)

const (
	// Life is for how long the kernel keeps an expectation that is
	// not refreshed: a process that dies leaves no hole for longer.
	Life = 60 * time.Second
	// masterLife is the same for a master entry. It outlives its expectation.
	masterLife = 2 * Life
)

// addresses are the addresses that a data connection gets: where it goes, and
// what the target sees.
type addresses struct{ target, seen netip.Addr }

func addressesOf(e expect.Expectation) addresses { return addresses{e.Target.Addr(), e.Seen} }

// masterEntry is a conntrack entry that no packet belongs to. An expectation needs
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
// A master entry has room for one expectation at a time (the helper's policy) and
// serves one promise after another.
type masterEntry struct {
	orig, reply ctnetlink.Tuple
	// until is when the kernel may forget it.
	until time.Time
}

// newMasterEntry returns a master entry that the kernel does not know yet. The number
// tells it from the others with the same addresses.
func newMasterEntry(to addresses, number uint16) *masterEntry {
	var secret [36]byte
	rand.Read(secret[:]) // never fails (crypto/rand)
	a, b := unroutable(to.target, secret[:16]), unroutable(to.target, secret[16:32])
	return &masterEntry{
		orig: ctnetlink.Tuple{
			Src: netip.AddrPortFrom(a, binary.BigEndian.Uint16(secret[32:])),
			Dst: netip.AddrPortFrom(b, binary.BigEndian.Uint16(secret[34:])),
		},
		reply: ctnetlink.Tuple{Src: netip.AddrPortFrom(to.target, 0), Dst: netip.AddrPortFrom(to.seen, number)},
	}
}

// unroutable makes a loopback or multicast address of random bytes.
func unroutable(like netip.Addr, random []byte) netip.Addr {
	if like.Is4() {
		return netip.AddrFrom4([4]byte{127, random[0], random[1], random[2]})
	}
	a := [16]byte(random)
	a[0] = 0xff
	return netip.AddrFrom16(a)
}

// IsMasterEntry recognises the master entries of every process that uses this mark.
func IsMasterEntry(f ctnetlink.Flow, mark uint32) bool {
	a := f.Orig.Src.Addr()
	return f.Mark&mark != 0 && f.Reply.Src.Port() == 0 && (a.Is4() && a.IsLoopback() || a.Is6() && a.IsMulticast())
}

// createMessage appends the message that makes the entry.
func (s *masterEntry) createMessage(p *ctnetlink.Packet, mark uint32) uint32 {
	return p.Message(ctnetlink.FlowNew, unix.NLM_F_CREATE|unix.NLM_F_EXCL, s.family(), func() {
		p.Tuple(ctnetlink.CTATupleOrig, s.orig)
		p.Tuple(ctnetlink.CTATupleReply, s.reply)
		p.Uint32(ctnetlink.CTAStatus, ctnetlink.StatusConfirmed|ctnetlink.StatusSeenReply|ctnetlink.StatusAssured)
		p.Uint32(ctnetlink.CTATimeout, ctnetlink.Seconds(masterLife))
		p.Uint32(ctnetlink.CTAMark, mark)
		p.Nested(ctnetlink.CTAHelp, func() { p.Text(ctnetlink.CTAHelpName, helper) })
	})
}

// prolongMessage appends the message that prolongs the entry's life.
func (s *masterEntry) prolongMessage(p *ctnetlink.Packet) uint32 {
	return p.Message(ctnetlink.FlowNew, 0, s.family(), func() {
		p.Tuple(ctnetlink.CTATupleOrig, s.orig)
		p.Uint32(ctnetlink.CTATimeout, ctnetlink.Seconds(masterLife))
	})
}

// deleteMessage appends the message that deletes the entry, and its expectation
// with it. Data connections that came through it stay.
func (s *masterEntry) deleteMessage(p *ctnetlink.Packet) uint32 {
	return ctnetlink.DeleteFlow(p, s.orig, 0)
}

func (s *masterEntry) family() rule.Family { return rule.FamilyOf(s.orig.Src.Addr()) }
