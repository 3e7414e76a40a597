package iptables

import (
	"context"
	"ftpalg/alg/expect"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"ftpalg/rules/rule/ruletest"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// checkNow has the workers compare and repair at once.
func checkNow(t *testing.T, m *Filter) {
	t.Helper()
	for _, w := range m.workers {
		if err := w.doTask(t.Context(), func(ctx context.Context) error { w.checkAndReport(ctx); return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAPromiseThatWasUsedBeforeAFlushDoesNotComeBack(t *testing.T) {
	inBubble(t, Options{CheckEvery: time.Hour}, func(t *testing.T, m *Filter, v4 *fake) {
		used, unused := ruletest.Promise(1), ruletest.Promise(2)
		mustOpen(t, m, used)
		mustOpen(t, m, unused)
		v4.came = map[expect.Key]bool{used.Key(): true}
		v4.flush(chain{tableNAT, chainPrerouting})
		checkNow(t, m)
		if got := v4.about("PREROUTING -s 203"); len(got) != 1 || !strings.Contains(got[0], "PASV 2") {
			t.Errorf("after the repair the kernel admits by %q, want promise 2 alone", got)
		}
		if got := pinholesOf(m); got[0].State != report.Used || got[1].State != report.Open {
			t.Errorf("after the repair %v, want the first one used", got)
		}
	})
}

func TestAPromiseOfWhichTheUseIsUnknownComesBackOnceItIsKnown(t *testing.T) {
	var events []report.Event
	inBubble(t, Options{CheckEvery: time.Hour, Observe: func(e report.Event) { events = append(events, e) }}, func(t *testing.T, m *Filter, v4 *fake) {
		mustOpen(t, m, ruletest.Promise(1))
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
		if len(events) != 1 || events[0].Kind != report.RepairFailed {
			t.Errorf("events %v, want a repair that failed", events)
		}
		v4.set(nil, "")
		checkNow(t, m)
		if got := v4.about("PREROUTING -s 203"); len(got) != 1 {
			t.Errorf("an unused promise did not come back: %q", got)
		}
	})
}

// A number may come up again in a later process, and its predecessor's tokens may
// still be there.
func TestNoTwoPromisesShareAToken(t *testing.T) {
	first, later, second := ruletest.Promise(1), ruletest.Promise(1), ruletest.Promise(2)
	later.Until, second.Until = first.Until.Add(1), first.Until
	names := map[string]bool{}
	for _, e := range []expect.Expectation{first, later, second} {
		rules := linesOf(rule.Pinhole(e, 0x4000000, false))
		names[rules[len(rules)-1].after("--hashlimit-name")] = true
	}
	if len(names) != 3 || names[""] {
		t.Errorf("three promises have the tokens %q", slices.Collect(maps.Keys(names)))
	}
}
