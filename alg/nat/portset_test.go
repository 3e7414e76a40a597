package nat

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestPortSetAgreesWithAPlainOne(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var set portSet
	plain := make(map[uint16]bool)
	for range 20000 {
		port := uint16(random.Uint32())
		set.add(port)
		plain[port] = true
		port = uint16(random.Uint32())
		set.remove(port)
		delete(plain, port)
	}
	ranges := []Range{{}, {1, 65535}, {64, 127}, {63, 64}, {100, 110}, {127, 128}, {65535, 65535}, {9, 8}}
	for range 100 {
		ranges = append(ranges, Range{uint16(random.Uint32()), uint16(random.Uint32())})
	}
	for _, r := range ranges {
		var want []uint16
		for port := range 1 << 16 {
			if p := uint16(port); plain[p] && r.Contains(p) {
				want = append(want, p)
			}
		}
		if got := slices.Collect(set.within(r)); !slices.Equal(got, want) {
			t.Errorf("%s: %d ports, want %d", r, len(got), len(want))
		}
		if got := set.count(r); got != len(want) {
			t.Errorf("%s: count %d, want %d", r, got, len(want))
		}
		for n := 0; n < len(want); n += 1 + len(want)/50 {
			if got := set.nth(r, n); got != want[n] || !set.has(got) {
				t.Errorf("%s: number %d is %d, want %d", r, n, got, want[n])
			}
		}
	}
}
