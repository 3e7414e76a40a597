package rules

import (
	"net/netip"
	"strconv"
	"testing"
	"time"

	"ftpalg/alg/expect"
)

// BenchmarkOpenClose measures what a promise costs its session, in both
// paths, with others open. Closing leaves the rest to the sweeper, whose work
// is part of the time as far as it gets in the way.
func BenchmarkOpenClose(b *testing.B) {
	for _, path := range []Path{Conntrack, IPTables} {
		for _, open := range []int{0, 4000} {
			b.Run(path.String()+"/"+strconv.Itoa(open)+" open", func(b *testing.B) { benchmarkOpenClose(b, path, open) })
		}
	}
}

func benchmarkOpenClose(b *testing.B, path Path, open int) {
	m, err := New(Options{Path: path})
	if err != nil {
		b.Fatal(err)
	}
	if err := m.Start(b.Context(), Static{}); err != nil {
		b.Skip(err)
	}
	defer m.Stop(b.Context())
	e := expect.Expectation{
		Mode: expect.PASV, From: netip.MustParseAddr("203.0.113.10"), Until: time.Now().Add(time.Hour),
		Target: netip.MustParseAddrPort("198.18.1.20:34567"), Seen: netip.MustParseAddr("198.18.1.1"),
	}
	next := func(port int) {
		e.ID++
		e.Reached = netip.AddrPortFrom(netip.MustParseAddr("203.0.113.1"), uint16(port))
		if err := m.Open(b.Context(), e); err != nil {
			b.Fatal(err)
		}
	}
	for n := range open {
		next(20000 + n)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		next(40000 + n%20000)
		m.Close(e.ID)
	}
	b.StopTimer()
}
