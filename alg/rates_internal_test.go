package alg

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// Whoever comes from ever new addresses takes no more memory than so much, and
// is forgotten when he has gone.
func TestStrangersAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		table := newRateTable()
		stranger := func(n uint32) netip.Addr {
			var a [4]byte
			binary.BigEndian.PutUint32(a[:], n)
			return netip.AddrFrom4(a)
		}
		for n := range uint32(mostRated + 1000) {
			table.allow(stranger(n), rateConnections, 1)
		}
		if n := len(table.clients); n > mostRated {
			t.Errorf("%d clients are remembered, of at most %d", n, mostRated)
		}
		banned := stranger(1 << 30)
		table.ban(banned, time.Now().Add(time.Hour))
		time.Sleep(2 * time.Minute)
		table.allow(stranger(1<<31), rateConnections, 1)
		if n := len(table.clients); n != 2 || !table.banned(banned) {
			t.Errorf("%d clients are remembered after they have gone, banned %v", n, table.banned(banned))
		}
	})
}
