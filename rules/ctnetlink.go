package rules

import (
	"ftpalg/rules/rule"

	"golang.org/x/sys/unix"
)

// Messages, and groups of events, of ctnetlink
// (linux/netfilter/nfnetlink_conntrack.h, nfnetlink_compat.h).
const (
	flowNew    = unix.NFNL_SUBSYS_CTNETLINK << 8
	flowGet    = unix.NFNL_SUBSYS_CTNETLINK<<8 | 1
	flowDelete = unix.NFNL_SUBSYS_CTNETLINK<<8 | 2

	expectNew    = unix.NFNL_SUBSYS_CTNETLINK_EXP << 8
	expectGet    = unix.NFNL_SUBSYS_CTNETLINK_EXP<<8 | 1
	expectDelete = unix.NFNL_SUBSYS_CTNETLINK_EXP<<8 | 2

	groupNew     = 1 // NFNLGRP_CONNTRACK_NEW
	groupDestroy = 3 // NFNLGRP_CONNTRACK_DESTROY
)

// Attributes of a conntrack entry: enum ctattr_type and those nested in it.
const (
	ctaTupleOrig     = 1
	ctaTupleReply    = 2
	ctaStatus        = 3
	ctaProtoinfo     = 4
	ctaHelp          = 5
	ctaTimeout       = 7
	ctaMark          = 8
	ctaCountersOrig  = 9
	ctaCountersReply = 10
	ctaID            = 12
	ctaMarkMask      = 21

	ctaTupleIP    = 1
	ctaTupleProto = 2

	ctaIPv4Src = 1
	ctaIPv4Dst = 2
	ctaIPv6Src = 3
	ctaIPv6Dst = 4

	ctaProtoNum     = 1
	ctaProtoSrcPort = 2
	ctaProtoDstPort = 3

	ctaCountersBytes     = 2
	ctaProtoinfoTCP      = 1
	ctaProtoinfoTCPState = 1
	ctaHelpName          = 1
)

// Attributes of an expectation: enum ctattr_expect and enum
// ctattr_expect_nat.
const (
	ctaExpectMaster   = 1
	ctaExpectTuple    = 2
	ctaExpectMask     = 3
	ctaExpectTimeout  = 4
	ctaExpectNAT      = 10
	ctaExpectFunction = 11

	ctaExpectNATDir   = 1
	ctaExpectNATTuple = 2
)

// Bits of ctaStatus (linux/netfilter/nf_conntrack_common.h).
const (
	statusExpected  = 1 << 0
	statusSeenReply = 1 << 1
	statusAssured   = 1 << 2
	statusConfirmed = 1 << 3
)

// TCP states of a conntrack entry (linux/netfilter/nf_conntrack_tcp.h).
const (
	tcpEstablished = 3
	tcpTimeWait    = 7
	tcpClose       = 8
)

// protocolOf returns the number that the kernel has for a family; that of both
// together is 0.
func protocolOf(f rule.Family) byte {
	switch f {
	case rule.IPv4:
		return unix.AF_INET
	case rule.IPv6:
		return unix.AF_INET6
	default:
		return unix.AF_UNSPEC
	}
}
