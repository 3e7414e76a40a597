package rules

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"ftpalg/alg/expect"
)

// A successor takes over what its predecessor left: an unused promise admits
// its one connection, a connection that had come goes on and is followed to its
// end, and what was closed meanwhile is gone.
func TestASuccessorAdoptsWhatIsOpen(t *testing.T) {
	for _, path := range []Path{IPTables, Conntrack} {
		t.Run(path.String(), func(t *testing.T) {
			e := onKernel(t)
			clean := saved(t)
			predecessor := must(New(Options{Path: path}))
			if err := predecessor.Start(t.Context(), exampleStatic()); err != nil {
				t.Fatal(err)
			}
			all := passages()[:3]
			accepted := map[expect.ID]<-chan net.Conn{}
			for _, p := range all {
				accepted[p.ID] = listen(t, e.server, p.Target.String(), nil)
				mustOpen(t, predecessor, p.Expectation)
			}
			unused, used, closed := all[0], all[1], all[2]
			c := dial(t, e.client, used.from, used.Reached.String(), comes)
			other := arrived(t, accepted[used.ID])
			if c == nil || other == nil {
				t.Fatal("refused")
			}
			eventually(t, "the use is known", func() bool {
				for _, p := range predecessor.Pinholes() {
					if p.ID == used.ID && p.State == Used {
						return true
					}
				}
				return false
			})
			var open []Pinhole
			for _, p := range predecessor.Pinholes() {
				if p.ID != closed.ID {
					open = append(open, p)
				}
			}
			if err := predecessor.Leave(); err != nil {
				t.Fatal(err)
			}

			o, events := following(Options{Path: path})
			m := must(New(o))
			if err := m.Adopt(t.Context(), exampleStatic(), open); err != nil {
				t.Fatal(err)
			}
			stopped := false
			defer func() {
				if !stopped {
					m.Stop(context.Background())
				}
			}()
			noneComes(t, e, []passage{closed}, "what the predecessor had closed", passage.anyPort)
			if got := nextEvent(t, events); got.Kind != Connected || got.Pinhole.ID != used.ID {
				t.Errorf("event %s of %d, want connected", got.Kind, got.Pinhole.ID)
			}
			unused.pass(t, e, accepted[unused.ID])
			noneComes(t, e, []passage{unused, used}, "a second time", passage.anyPort)
			if _, err := c.Write([]byte("x")); err != nil {
				t.Error(err)
			}
			other.SetReadDeadline(time.Now().Add(comes))
			if n, err := other.Read(make([]byte, 1)); n != 1 {
				t.Errorf("the connection did not go on: %v", err)
			}
			other.Close()
			io.Copy(io.Discard, c)
			c.Close()
			for {
				got := nextEvent(t, events)
				if got.Kind == Disconnected && got.Pinhole.ID == used.ID {
					break
				}
			}
			again := unused
			again.ID = 77
			mustOpen(t, m, again.Expectation)
			again.pass(t, e, accepted[unused.ID])
			stopped = true
			if err := m.Stop(t.Context()); err != nil {
				t.Fatal(err)
			}
			if text := saved(t); text != clean || strings.Contains(listed(t), "helper=ftp") {
				t.Errorf("left\n%s%s", text, listed(t))
			}
		})
	}
}

// What a predecessor has closed leaves something in the kernel, too, that must
// not be in the way.
func TestASuccessorOfOneThatHasNothingOpenOpensAsWell(t *testing.T) {
	for _, path := range []Path{IPTables, Conntrack} {
		t.Run(path.String(), func(t *testing.T) {
			onKernel(t)
			predecessor := must(New(Options{Path: path}))
			if err := predecessor.Start(t.Context(), exampleStatic()); err != nil {
				t.Fatal(err)
			}
			all := passages()
			for _, p := range all {
				mustOpen(t, predecessor, p.Expectation)
			}
			for _, p := range all {
				predecessor.Close(p.ID)
			}
			if err := predecessor.Leave(); err != nil {
				t.Fatal(err)
			}
			m := must(New(Options{Path: path}))
			if err := m.Adopt(t.Context(), exampleStatic(), nil); err != nil {
				t.Fatal(err)
			}
			defer m.Stop(context.Background())
			for _, p := range all {
				mustOpen(t, m, p.Expectation)
			}
		})
	}
}
