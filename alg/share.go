package alg

import (
	"errors"
	"net/netip"
)

// errShare says that a client holds as many data ports as one client may.
var errShare = errors.New("the client holds its share of the data ports")

// shares counts the data ports that each clientHost holds, so that one client
// with many sessions leaves ports for the others. Its owner guards it.
type shares map[netip.Addr]int

// take counts one more port, unless most of them are held; 0 means no bound.
func (s shares) take(host netip.Addr, most int) error {
	if most > 0 && s[host] >= most {
		return errShare
	}
	s[host]++
	return nil
}

// give counts one port less.
func (s shares) give(host netip.Addr) {
	if s[host]--; s[host] <= 0 {
		delete(s, host)
	}
}
