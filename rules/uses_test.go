package rules

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"ftpalg/alg/expect"
	"ftpalg/rules/rule"
)

// checkNow has the workers compare and repair at once.
func checkNow(t *testing.T, m *Manager) {
	t.Helper()
	for _, w := range m.workers {
		if err := w.doTask(t.Context(), func(ctx context.Context) error { w.checkAndReport(ctx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPromiseThatWasUsedBeforeAFlushDoesNotComeBack(t *testing.T) {
	inBubble(t, Options{CheckEvery: time.Hour}, func(t *testing.T, m *Manager, v4 *fake) {
		used, unused := examplePromise(1), examplePromise(2)
		mustOpen(t, m, used)
		mustOpen(t, m, unused)
		v4.came = map[expect.Key]bool{used.Key(): true}
		v4.flush(chain{tableNAT, chainPrerouting})
		checkNow(t, m)
		if got := v4.about("PREROUTING -s 203"); len(got) != 1 || !strings.Contains(got[0], "PASV 2") {
			t.Errorf("after the repair the kernel admits by %q, want promise 2 alone", got)
		}
		if got := m.Pinholes(); got[0].State != Used || got[1].State != Open {
			t.Errorf("after the repair %v, want the first one used", got)
		}
	})
}

func TestAPromiseOfWhichTheUseIsUnknownComesBackOnceItIsKnown(t *testing.T) {
	var events []Event
	inBubble(t, Options{CheckEvery: time.Hour, Observe: func(e Event) { events = append(events, e) }}, func(t *testing.T, m *Manager, v4 *fake) {
		mustOpen(t, m, examplePromise(1))
		v4.flush(chain{tableNAT, chainPrerouting})
		v4.set(func(_ int, op string) error {
			if op == "came" {
				return errFault
			}
			return nil
		}, "")
		checkNow(t, m)
		if got := v4.about("PREROUTING -s 203"); len(got) > 0 {
			t.Errorf("nobody knows whether it was used, and %q came back", got)
		}
		if got := v4.about("intercept dmz"); len(got) == 0 {
			t.Error("the static rules did not come back")
		}
		if len(events) != 1 || events[0].Kind != RepairFailed {
			t.Errorf("events %v, want a repair that failed", events)
		}
		v4.set(nil, "")
		checkNow(t, m)
		if got := v4.about("PREROUTING -s 203"); len(got) != 1 {
			t.Errorf("an unused promise did not come back: %q", got)
		}
	})
}

// Both ways in which the token of a used pinhole could be renewed: by another
// change of its table, and by a repair.
func TestAUsedPinholeIsNotArmedAgain(t *testing.T) {
	generations(t, func(t *testing.T) {
		e := newEdge(t)
		m := startManager(t, Options{CheckEvery: time.Hour}, Static{})
		all := passages()[:3]
		other := promised(99, all[0].Mode, "203.0.113.10", "203.0.113.1:50099", "198.18.1.20:30099", "203.0.113.10")
		for _, p := range all {
			accepted := listen(t, e.server, p.Target.String(), nil)
			mustOpen(t, m, p.Expectation)
			p.pass(t, e, accepted)
		}
		mustOpen(t, m, other)
		noneComes(t, e, all, "after another pinhole was opened", passage.anyPort)
		sh(t, "iptables -t nat -F FTPALG-PREROUTING; iptables -F FTPALG-FORWARD")
		checkNow(t, m)
		noneComes(t, e, all, "after a flush was repaired", passage.anyPort)

		listen(t, e.server, other.Target.String(), nil)
		if dial(t, e.client, "203.0.113.10:0", other.To.String(), comes) == nil {
			t.Errorf("a pinhole that nobody used was not repaired:\n%s", saved(t))
		}
	})
}

// A new process begins to count at one again, and its predecessor's tokens may
// still be there.
func TestNoTwoPromisesShareAToken(t *testing.T) {
	first, later, second := examplePromise(1), examplePromise(1), examplePromise(2)
	later.Until, second.Until = first.Until.Add(1), first.Until
	names := map[string]bool{}
	for _, e := range []expect.Expectation{first, later, second} {
		rules := linesOf(rule.Pinhole(e, DefaultPinholeMark, false))
		names[rules[len(rules)-1].after("--hashlimit-name")] = true
	}
	if len(names) != 3 || names[""] {
		t.Errorf("three promises have the tokens %q", slices.Collect(maps.Keys(names)))
	}
}

// A token's table ends with the rule that names it.
func TestNoTokenIsLeftBehind(t *testing.T) {
	generations(t, func(t *testing.T) {
		tokens := func() string { return sh(t, "ls /proc/thread-self/net/ipt_hashlimit") }
		m := startManager(t, Options{}, Static{})
		e := examplePromise(1)
		mustOpen(t, m, e)
		if !strings.Contains(tokens(), "ftpalg-1-") {
			t.Fatalf("the token is not in %q", tokens())
		}
		m.Close(e.ID)
		eventually(t, "the token is gone", func() bool { return tokens() == "" })
	})
}
