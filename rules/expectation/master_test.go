package expectation

import (
	"ftpalg/rules/ctnetlink"
	"net/netip"
	"testing"
)

const testMark = 0x8000000

func TestOnlyMasterEntriesAreTakenForOnes(t *testing.T) {
	tuples := func(src, dst, back, seen string) ctnetlink.Flow {
		return ctnetlink.Flow{Mark: testMark,
			Orig:  ctnetlink.Tuple{Src: netip.MustParseAddrPort(src), Dst: netip.MustParseAddrPort(dst)},
			Reply: ctnetlink.Tuple{Src: netip.MustParseAddrPort(back), Dst: netip.MustParseAddrPort(seen)}}
	}
	master := tuples("127.1.2.3:4", "127.5.6.7:8", "198.18.1.20:0", "203.0.113.10:1")
	unmarked := master
	unmarked.Mark = 0x4000000
	for name, f := range map[string]ctnetlink.Flow{
		"a data connection":   tuples("203.0.113.10:40000", "203.0.113.1:50000", "198.18.1.20:30000", "203.0.113.10:40000"),
		"one on the loopback": tuples("127.0.0.1:40000", "127.0.0.1:21", "127.0.0.1:21", "127.0.0.1:40000"),
		"another's mark":      unmarked,
	} {
		if IsMasterEntry(f, testMark) {
			t.Errorf("%s is taken for a master entry", name)
		}
	}
	if !IsMasterEntry(master, testMark) {
		t.Error("a master entry is not taken for one")
	}
}
