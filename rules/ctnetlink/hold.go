package ctnetlink

import (
	"encoding/binary"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Hold keeps connection tracking and translation at work in a network
// namespace. The kernel takes them off the packets' way as soon as no rule
// needs them; so a firewall that empties its tables, if only for a moment,
// cuts every translated connection (nf_ct_netns_put, nf_nat_unregister_fn).
//
// A Hold is a table of nf_tables with a rule on a connection's direction, in a chain
// that no packet passes, and with empty chains of translation. The table
// belongs to our socket (NFT_TABLE_F_OWNER): nobody else can change it, `nft
// flush ruleset` passes it by, and it ends with the process.
type Hold struct{ fd int }

// tableOwned is NFT_TABLE_F_OWNER (linux/netfilter/nf_tables.h).
const tableOwned = 2

// translationHooks are where the kernel translates, with the priorities of
// linux/netfilter_ipv4.h.
var translationHooks = []struct {
	name           string
	hook, priority int32
}{
	{"prerouting", unix.NF_INET_PRE_ROUTING, -100},
	{"input", unix.NF_INET_LOCAL_IN, 100},
	{"output", unix.NF_INET_LOCAL_OUT, -100},
	{"postrouting", unix.NF_INET_POST_ROUTING, 100},
}

// HoldTracking makes a Hold in this thread's network namespace. It fails with
// ErrUnavailable where there is no nf_tables, or where its tables have no
// owners (before Linux 5.12).
func HoldTracking() (*Hold, error) {
	s, err := Dial()
	if err != nil {
		return nil, err
	}
	h := &Hold{s.fd}
	if err := s.makeHold(fmt.Sprintf("ftpalg-%d", s.port())); err != nil {
		return nil, errors.Join(OpError("hold connection tracking", "", err), h.Close())
	}
	return h, nil
}

// Close lets go.
func (h *Hold) Close() error { return unix.Close(h.fd) }

// port returns the socket's number, which no other has in this network
// namespace.
func (s *Socket) port() uint32 {
	if a, err := unix.Getsockname(s.fd); err == nil {
		if n, ok := a.(*unix.SockaddrNetlink); ok {
			return n.Pid
		}
	}
	return 0
}

// makeHold makes the table as one transaction.
func (s *Socket) makeHold(table string) error {
	p := s.Next()
	p.batchMessage(unix.NFNL_MSG_BATCH_BEGIN)
	p.tablesMessage(unix.NFT_MSG_NEWTABLE, 0, func() {
		p.Text(unix.NFTA_TABLE_NAME, table)
		p.Uint32(unix.NFTA_TABLE_FLAGS, tableOwned)
	})
	for _, h := range translationHooks {
		p.tablesMessage(unix.NFT_MSG_NEWCHAIN, 0, func() {
			p.Text(unix.NFTA_CHAIN_TABLE, table)
			p.Text(unix.NFTA_CHAIN_NAME, h.name)
			p.Text(unix.NFTA_CHAIN_TYPE, "nat")
			p.Nested(unix.NFTA_CHAIN_HOOK, func() {
				p.Uint32(unix.NFTA_HOOK_HOOKNUM, uint32(h.hook))
				p.Uint32(unix.NFTA_HOOK_PRIORITY, uint32(h.priority))
			})
		})
	}
	p.tablesMessage(unix.NFT_MSG_NEWCHAIN, 0, func() {
		p.Text(unix.NFTA_CHAIN_TABLE, table)
		p.Text(unix.NFTA_CHAIN_NAME, "tracking")
	})
	p.tablesMessage(unix.NFT_MSG_NEWRULE, unix.NLM_F_APPEND, func() {
		p.Text(unix.NFTA_RULE_TABLE, table)
		p.Text(unix.NFTA_RULE_CHAIN, "tracking")
		p.Nested(unix.NFTA_RULE_EXPRESSIONS, p.matchDirection)
	})
	s.acknowledge()
	last := p.Last()
	p.batchMessage(unix.NFNL_MSG_BATCH_END)
	if err := s.send(); err != nil {
		return err
	}
	return s.awaitTransaction(last)
}

// awaitTransaction waits until the kernel has confirmed the message, or
// refused any.
func (s *Socket) awaitTransaction(last uint32) error {
	for {
		n, _, err := unix.Recvfrom(s.fd, s.buffer, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		a := answers{after: s.before, last: last}
		a.takeMessage(s.buffer[:n])
		if len(a.refused) > 0 {
			return a.refused[0].Errno
		}
		if a.done {
			return nil
		}
	}
}

// batchMessage appends a message that begins or ends a transaction
// (linux/netfilter/nfnetlink.h); it says whose.
func (p *Packet) batchMessage(kind uint16) {
	p.Message(kind, 0, 0, func() {})
	binary.BigEndian.PutUint16(p.bytes[p.last+unix.NLMSG_HDRLEN+2:], unix.NFNL_SUBSYS_NFTABLES)
}

// tablesMessage appends a message that makes something for both families.
func (p *Packet) tablesMessage(kind, flags uint16, attributes func()) {
	p.Message(unix.NFNL_SUBSYS_NFTABLES<<8|kind, unix.NLM_F_CREATE|flags, 0, attributes)
	p.bytes[p.last+unix.NLMSG_HDRLEN] = unix.NFPROTO_INET
}

// matchDirection appends the expressions of `ct direction original`
// (linux/netfilter/nf_tables.h).
func (p *Packet) matchDirection() {
	p.expression("ct", func() {
		p.Uint32(unix.NFTA_CT_KEY, unix.NFT_CT_DIRECTION)
		p.Uint32(unix.NFTA_CT_DREG, unix.NFT_REG_1)
	})
	p.expression("cmp", func() {
		p.Uint32(unix.NFTA_CMP_SREG, unix.NFT_REG_1)
		p.Uint32(unix.NFTA_CMP_OP, unix.NFT_CMP_EQ)
		p.Nested(unix.NFTA_CMP_DATA, func() { p.uint8(unix.NFTA_DATA_VALUE, 0) }) // IP_CT_DIR_ORIGINAL
	})
}

func (p *Packet) expression(name string, data func()) {
	p.Nested(unix.NFTA_LIST_ELEM, func() {
		p.Text(unix.NFTA_EXPR_NAME, name)
		p.Nested(unix.NFTA_EXPR_DATA, data)
	})
}
