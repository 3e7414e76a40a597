package alg

import (
	"sync/atomic"

	"ftpalg/alg/expect"
)

// modeSet is a set of modes. It is safe for concurrent use.
type modeSet struct{ bits atomic.Uint32 }

func (s *modeSet) include(m expect.Mode) { s.bits.Or(1 << m) }

// list returns the modes' names in the order of their numbers.
func (s *modeSet) list() []string {
	list := []string{}
	for m := expect.PASV; m <= expect.EPRT; m++ {
		if s.bits.Load()&(1<<m) != 0 {
			list = append(list, m.String())
		}
	}
	return list
}
