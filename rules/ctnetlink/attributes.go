package ctnetlink

import (
	"ftpalg/rules/rule"

	"golang.org/x/sys/unix"
)

// Messages, and groups of events, of ctnetlink
// (linux/netfilter/nfnetlink_conntrack.h, nfnetlink_compat.h).
const (
	FlowNew    = unix.NFNL_SUBSYS_CTNETLINK << 8
	FlowGet    = unix.NFNL_SUBSYS_CTNETLINK<<8 | 1
	FlowDelete = unix.NFNL_SUBSYS_CTNETLINK<<8 | 2

	ExpectNew    = unix.NFNL_SUBSYS_CTNETLINK_EXP << 8
	expectGet    = unix.NFNL_SUBSYS_CTNETLINK_EXP<<8 | 1
	ExpectDelete = unix.NFNL_SUBSYS_CTNETLINK_EXP<<8 | 2

	groupNew     = 1 // NFNLGRP_CONNTRACK_NEW
	groupDestroy = 3 // NFNLGRP_CONNTRACK_DESTROY
)

// Attributes of a conntrack entry: enum ctattr_type and those nested in it.
const (
	CTATupleOrig     = 1
	CTATupleReply    = 2
	CTAStatus        = 3
	ctaProtoinfo     = 4
	CTAHelp          = 5
	CTATimeout       = 7
	CTAMark          = 8
	ctaCountersOrig  = 9
	ctaCountersReply = 10
	CTAID            = 12
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
	CTAHelpName          = 1
)

// Attributes of an expectation: enum ctattr_expect and enum
// ctattr_expect_nat.
const (
	CTAExpectMaster   = 1
	CTAExpectTuple    = 2
	CTAExpectMask     = 3
	CTAExpectTimeout  = 4
	CTAExpectNAT      = 10
	CTAExpectFunction = 11

	CTAExpectNATDir   = 1
	CTAExpectNATTuple = 2
)

// Bits of ctaStatus (linux/netfilter/nf_conntrack_common.h).
const (
	statusExpected  = 1 << 0
	StatusSeenReply = 1 << 1
	StatusAssured   = 1 << 2
	StatusConfirmed = 1 << 3
)

// TCP states of a conntrack entry (linux/netfilter/nf_conntrack_tcp.h).
const (
	TCPEstablished = 3
	TCPTimeWait    = 7
	TCPClose       = 8
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
