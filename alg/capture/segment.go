package capture

import (
	"net/netip"
	"time"
)

// segment is one TCP segment.
type segment struct {
	frame    uint64
	time     time.Time
	src, dst netip.AddrPort
	seq, ack uint32
	flags    flags
	payload  []byte
	// missing is how many bytes of the payload were not recorded.
	missing int
}

// flags are those of a TCP segment (RFC 9293 section 3.1).
type flags uint8

const (
	flagFIN flags = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

func (f flags) has(all flags) bool { return f&all == all }

// unreachable is a router's or host's word that a segment did not arrive.
type unreachable struct {
	frame uint64
	from  netip.Addr
	// src and dst are those of the segment.
	src, dst netip.AddrPort
	why      string
}
