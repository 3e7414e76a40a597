package nat

import (
	"iter"
	"math/bits"
)

// wordBits is the number of ports in one word of a portSet.
const wordBits = 64

// portSet is a set of port numbers, one bit for each. Counting and choosing
// within a range look at 64 ports at a time.
type portSet [(1 << 16) / wordBits]uint64

func (s *portSet) add(port uint16)    { s[port/wordBits] |= 1 << (port % wordBits) }
func (s *portSet) remove(port uint16) { s[port/wordBits] &^= 1 << (port % wordBits) }

func (s *portSet) has(port uint16) bool { return s[port/wordBits]>>(port%wordBits)&1 == 1 }

// words yields the words that r touches, with their number, and without the
// ports outside of r.
func (s *portSet) words(r Range) iter.Seq2[int, uint64] {
	return func(yield func(int, uint64) bool) {
		if r.Size() == 0 {
			return
		}
		first, last := int(r.Low/wordBits), int(r.High/wordBits)
		for i := first; i <= last; i++ {
			w := s[i]
			if i == first {
				w &= ^uint64(0) << (r.Low % wordBits)
			}
			if i == last {
				w &= ^uint64(0) >> (wordBits - 1 - r.High%wordBits)
			}
			if !yield(i, w) {
				return
			}
		}
	}
}

// count returns how many ports of r are in the set.
func (s *portSet) count(r Range) int {
	n := 0
	for _, w := range s.words(r) {
		n += bits.OnesCount64(w)
	}
	return n
}

// nth returns the port of r that has n others of the set below it; there must
// be one.
func (s *portSet) nth(r Range, n int) uint16 {
	for i, w := range s.words(r) {
		if ones := bits.OnesCount64(w); n >= ones {
			n -= ones
			continue
		}
		for range n {
			w &= w - 1 // without its lowest
		}
		return lowest(i, w)
	}
	panic("nat: no such port in the set")
}

// within yields the ports of r that are in the set, lowest first.
func (s *portSet) within(r Range) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		for i, w := range s.words(r) {
			for ; w != 0; w &= w - 1 {
				if !yield(lowest(i, w)) {
					return
				}
			}
		}
	}
}

// lowest returns the lowest port in word number i.
func lowest(i int, w uint64) uint16 { return uint16(i*wordBits + bits.TrailingZeros64(w)) }
