package capture

import (
	"encoding/binary"
	"math/bits"
	"time"
)

// iface is one interface of a pcapng section.
type iface struct {
	link LinkType
	// snap is the most bytes recorded of a packet, 0 for all.
	snap uint32
	// Times are counted in units, of which a second has perSecond, or
	// 2^shift if binary; offset seconds are to be added.
	perSecond uint64
	binary    bool
	shift     uint
	offset    int64
}

// The options of an interface that matter here (draft-ietf-opsawg-pcapng
// section 4.2).
const (
	optionEnd        = 0
	optionResolution = 9
	optionOffset     = 14
)

// newInterface reads the body of an interface description block.
func newInterface(order binary.ByteOrder, b []byte) iface {
	i := iface{link: LinkType(order.Uint16(b)), snap: order.Uint32(b[4:]), perSecond: 1e6}
	for b = b[8:]; len(b) >= 4; {
		code, length := order.Uint16(b), int(order.Uint16(b[2:]))
		b = b[4:]
		if code == optionEnd || length > len(b) {
			break
		}
		i.option(order, code, b[:length])
		b = b[min((length+3)&^3, len(b)):]
	}
	return i
}

func (i *iface) option(order binary.ByteOrder, code uint16, value []byte) {
	switch {
	case code == optionResolution && len(value) >= 1:
		i.resolve(value[0])
	case code == optionOffset && len(value) >= 8:
		i.offset = int64(order.Uint64(value))
	}
}

// resolve takes the resolution over: a negative power of 10, or of 2 if the
// highest bit is set.
func (i *iface) resolve(r byte) {
	exponent := uint(r & 0x7f)
	if i.binary = r&0x80 != 0; i.binary {
		i.shift = min(exponent, 63)
		return
	}
	i.perSecond = 1
	for range min(exponent, 19) {
		i.perSecond *= 10
	}
}

// time returns the time of a packet whose block counts so many units.
func (i *iface) time(count uint64) time.Time {
	var seconds, nanos uint64
	if i.binary {
		seconds = count >> i.shift
		high, low := bits.Mul64(count&(1<<i.shift-1), 1e9)
		nanos = high<<(64-i.shift) | low>>i.shift
	} else {
		seconds = count / i.perSecond
		high, low := bits.Mul64(count%i.perSecond, 1e9)
		nanos, _ = bits.Div64(high, low, i.perSecond)
	}
	return time.Unix(int64(seconds)+i.offset, int64(nanos))
}
