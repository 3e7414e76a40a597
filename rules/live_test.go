package rules

import (
	"io"
	"testing"
	"time"
)

// What a connection carries is told while it goes on; Cut ends it, and none of
// another session.
func TestALiveConnectionIsCountedAndCut(t *testing.T) {
	const size = 100_000
	for _, path := range []Path{IPTables, Conntrack} {
		t.Run(path.String(), func(t *testing.T) {
			e := onKernel(t)
			write(t, "netfilter/nf_conntrack_acct", "1")
			events := make(chan Event, 1000)
			m := startManager(t, Options{Path: path, Connections: func(e Event) { events <- e }}, Static{})
			p := passages()[1]
			accepted := listen(t, e.server, p.Target.String(), nil)
			mustOpen(t, m, p.Expectation)
			c := dial(t, e.client, p.from, p.Reached.String(), comes)
			other := arrived(t, accepted)
			if c == nil || other == nil {
				t.Fatal("refused")
			}
			if _, err := other.Write(make([]byte, size)); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c, make([]byte, size)); err != nil {
				t.Fatal(err)
			}
			for {
				got := nextEvent(t, events)
				if got.Kind == Carrying && got.Pinhole.ID == p.ID && got.Traffic.Counted && got.Traffic.Received >= size {
					break
				}
				if got.Kind == Disconnected {
					t.Fatalf("it ended with %+v and was not told before", got.Traffic)
				}
			}
			m.Cut(p.Session + 1)
			if _, err := other.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
			c.SetReadDeadline(time.Now().Add(comes))
			if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
				t.Fatalf("another session's Cut: %v", err)
			}
			m.Cut(p.Session)
			for nextEvent(t, events).Kind != Disconnected {
			}
			if _, err := other.Write([]byte("y")); err != nil {
				t.Fatal(err)
			}
			c.SetReadDeadline(time.Now().Add(refusedAfter))
			if _, err := io.ReadFull(c, make([]byte, 1)); err == nil {
				t.Error("it went on after Cut")
			}
		})
	}
}

// refusedAfter is how long a byte that must not come may take.
const refusedAfter = 300 * time.Millisecond
