package iptables

import (
	"context"
	"errors"
	"ftpalg/alg/expect"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"ftpalg/rules/rule/ruletest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// inBubble runs a test with a started Manager over fakes, in a time of its
// own.
func inBubble(t *testing.T, o Options, test func(t *testing.T, m *Filter, v4 *fake)) {
	synctest.Test(t, func(t *testing.T) {
		v4, v6 := newFake(), newFake()
		m := filterOver(o, v4, v6)
		if err := m.Start(t.Context(), rulesOf(ruletest.Static()), nil); err != nil {
			t.Fatal(err)
		}
		test(t, m, v4)
		v4.set(nil, "")
		if err := m.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if left := append(v4.ours(), v6.ours()...); len(left) > 0 {
			t.Errorf("Stop left %q", left)
		}
	})
}

// at returns a fault that hits one call after the present one.
func at(f *fake, n int) func(int, string) error {
	first := f.calls
	return func(call int, op string) error {
		if call == first+n {
			return errFault
		}
		return nil
	}
}

func TestAFailedStartLeavesNothing(t *testing.T) {
	for n := 1; ; n++ {
		v4, v6 := newFake(), newFake()
		m := filterOver(Options{}, v4, v6)
		v4.set(at(v4, n), "")
		err := m.Start(t.Context(), rulesOf(ruletest.Static()), nil)
		if err == nil && v4.calls >= n {
			t.Errorf("call %d failed and nobody noticed", n)
		}
		if err != nil {
			if left := append(v4.ours(), v6.ours()...); len(left) > 0 {
				t.Errorf("fault at call %d (%v) left %q", n, err, left)
			}
			if err := m.Open(t.Context(), ruletest.Promise(1)); !errors.Is(err, report.ErrStopped) {
				t.Errorf("Open after a failed Start: %v, want ErrStopped", err)
			}
		}
		done := v4.calls < n
		v4.set(nil, "")
		if err := m.Stop(context.Background()); err != nil {
			t.Fatal(err)
		}
		if done {
			return
		}
	}
}

func TestAFailedOpenLeavesNothing(t *testing.T) {
	for n := 1; n < 40; n++ {
		inBubble(t, Options{CheckEvery: time.Hour}, func(t *testing.T, m *Filter, v4 *fake) {
			before := v4.ours()
			first := v4.calls
			// From the n-th call on each addition fails, before or between
			// its tables; what reads and deletes still works.
			v4.set(func(call int, op string) error {
				if call == first+n && (op == "restore" || op == "commit") {
					return errFault
				}
				return nil
			}, "198.18.1.20:34567")
			err := m.Open(t.Context(), ruletest.Promise(1))
			if err == nil {
				t.Fatal("Open succeeded although the kernel refuses the rule")
			}
			v4.set(nil, "")
			synctest.Wait()
			m.workers[0].doTask(t.Context(), func(ctx context.Context) error { m.workers[0].checkAndReport(ctx); return nil })
			if diff := cmp.Diff(before, v4.ours()); diff != "" {
				t.Errorf("fault at call %d left (-want +got):\n%s", n, diff)
			}
			if len(pinholesOf(m)) > 0 {
				t.Errorf("a refused promise is still listed: %v", pinholesOf(m))
			}
		})
	}
}

func TestOneFaultDoesNotRefuseAPromise(t *testing.T) {
	for n := 1; n <= 4; n++ {
		inBubble(t, Options{}, func(t *testing.T, m *Filter, v4 *fake) {
			v4.set(at(v4, n), "")
			if err := m.Open(t.Context(), ruletest.Promise(1)); err != nil {
				t.Errorf("one fault at call %d: %v", n, err)
			}
			if got := v4.about("session 12"); len(got) != 3 {
				t.Errorf("after a fault at call %d: %q, want the three rules once", n, got)
			}
		})
	}
}

func TestABadPromiseHarmsNoOther(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, m *Filter, v4 *fake) {
		v4.set(nil, "198.18.1.20:666")
		errs := make([]error, 10)
		var opens sync.WaitGroup
		for i := range errs {
			e := ruletest.Promise(expect.ID(i))
			if i == 3 {
				e.Target = netip.MustParseAddrPort("198.18.1.20:666")
			}
			opens.Go(func() { errs[i] = m.Open(t.Context(), e) })
		}
		opens.Wait()
		for i, err := range errs {
			if (err != nil) != (i == 3) {
				t.Errorf("promise %d: %v", i, err)
			}
		}
		if got := v4.about("session 12"); len(got) != 9*3 {
			t.Errorf("%d rules, want those of nine promises:\n%s", len(got), strings.Join(got, "\n"))
		}
	})
}

func TestClosedPromisesGoWithTheNextSweep(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, m *Filter, v4 *fake) {
		mustOpen(t, m, ruletest.Promise(1))
		mustOpen(t, m, ruletest.Promise(2))
		m.Close(1)
		m.Close(99)
		if got := pinholesOf(m); len(got) != 2 || got[0].State != report.Closing || got[1].State != report.Open {
			t.Errorf("after Close: %v, want the first one closing", got)
		}
		time.Sleep(sweepEvery)
		synctest.Wait()
		if got := pinholesOf(m); len(got) != 1 || got[0].ID != 2 {
			t.Errorf("after the sweep: %v, want the second one", got)
		}
		if len(v4.about("PASV 1")) != 0 || len(v4.about("PASV 2")) != 3 {
			t.Errorf("after the sweep the kernel has %q", v4.about("session"))
		}
	})
}

func TestAnExpiredPromiseIsSweptAndReported(t *testing.T) {
	var events []report.Event
	inBubble(t, Options{Observe: func(e report.Event) { events = append(events, e) }}, func(t *testing.T, m *Filter, v4 *fake) {
		mustOpen(t, m, ruletest.Promise(1))
		time.Sleep(time.Minute + sweepEvery)
		synctest.Wait()
		if len(v4.about("session")) > 0 || len(pinholesOf(m)) > 0 {
			t.Errorf("left: %q %v", v4.about("session"), pinholesOf(m))
		}
		if len(events) != 1 || events[0].Kind != report.Expired || events[0].Pinhole.ID != 1 {
			t.Errorf("events %v, want promise 1 expired", events)
		}
	})
}

func TestANewPromiseReplacesOneOfTheSameWay(t *testing.T) {
	for _, closed := range []bool{true, false} {
		inBubble(t, Options{}, func(t *testing.T, m *Filter, v4 *fake) {
			older, newer := ruletest.Promise(1), ruletest.Promise(2)
			newer.Reached = older.Reached
			newer.Target = netip.MustParseAddrPort("198.18.1.20:40000")
			mustOpen(t, m, older)
			if closed {
				m.Close(1)
			}
			mustOpen(t, m, newer)
			if len(v4.about("PASV 1")) != 0 || len(v4.about("PASV 2")) != 3 {
				t.Errorf("closed %t: the kernel has %q", closed, v4.about("session"))
			}
		})
	}
}

func TestASweepOverAFlushTakesWhatIsLeft(t *testing.T) {
	inBubble(t, Options{CheckEvery: time.Hour}, func(t *testing.T, m *Filter, v4 *fake) {
		mustOpen(t, m, ruletest.Promise(1))
		mustOpen(t, m, ruletest.Promise(2))
		v4.flush(chain{tableFilter, chainForward})
		m.Close(1)
		time.Sleep(sweepEvery)
		synctest.Wait()
		if len(v4.about("PASV 1")) != 0 || len(v4.about("PASV 2")) != 3 {
			t.Errorf("the kernel has %q, want promise 2 whole", v4.about("session"))
		}
	})
}

func TestAUsedPromiseDoesNotComeBack(t *testing.T) {
	b := desired{used: linesOf(rule.Pinhole(ruletest.Promise(1), 0x4000000, false))}
	if d := b.differenceTo(snapshot{}); len(d.pinholes) > 0 {
		t.Errorf("after a flush %q would be added: a second connection could come", texts(d.pinholes))
	}
	var s snapshot
	for _, r := range b.used {
		s.rules = append(s.rules, counted{r, 1})
	}
	if d := b.differenceTo(s); len(d.strays) > 0 || len(d.ended) > 0 {
		t.Errorf("before a flush %q would be deleted: the first packet's retransmission would be lost", texts(d.strays))
	}
}

func TestApplyReplacesStaticRulesAndKeepsPinholes(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, m *Filter, v4 *fake) {
		mustOpen(t, m, ruletest.Promise(1))
		s := rule.Static{Services: []rule.Service{{Name: "other", Address: netip.MustParseAddrPort("203.0.113.1:2121")}}}
		if err := m.Apply(t.Context(), rulesOf(s.After(ruletest.Static()))); err != nil {
			t.Fatal(err)
		}
		if got := v4.about(`--comment "ftpalg s`); len(got) != 4 {
			t.Errorf("the kernel has %q, want the new service and the pinhole", got)
		}
		if got := v4.about("intercept"); len(got) > 0 {
			t.Errorf("nothing needs %q", got)
		}
		if len(v4.about("deliver 21,2121")) == 0 || len(v4.about("the policy route")) == 0 {
			t.Errorf("connections that were taken over get no packets any more: %q", v4.ours())
		}
	})
}

func TestAFailedApplyKeepsTheFormerRules(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, m *Filter, v4 *fake) {
		before := slices.Sorted(slices.Values(v4.ours()))
		v4.set(nil, "2121")
		err := m.Apply(t.Context(), rulesOf(rule.Static{Services: []rule.Service{
			{Name: "good", Address: netip.MustParseAddrPort("203.0.113.1:2100")}, {Name: "bad", Address: netip.MustParseAddrPort("203.0.113.1:2121")}}}))
		if err == nil {
			t.Error("Apply succeeded although the kernel refuses a rule")
		}
		if diff := cmp.Diff(before, slices.Sorted(slices.Values(v4.ours()))); diff != "" {
			t.Errorf("after a failed Apply (-want +got):\n%s", diff)
		}
	})
}

func TestWhatIsAbsentIsAnErrorOnlyWhenNeeded(t *testing.T) {
	v4, v6 := newFake(), newFake()
	v6.absent = map[string]error{tableNAT: report.ErrUnavailable}
	m := filterOver(Options{}, v4, v6)
	if err := m.Start(t.Context(), rulesOf(rule.Static{}), nil); err != nil {
		t.Fatalf("without rule.IPv6 NAT: %v", err)
	}
	defer m.Stop(context.Background())
	mustOpen(t, m, ruletest.Promise(1))
	e := ruletest.Promise(2)
	e.From, e.Seen = netip.MustParseAddr("2001:db8::10"), netip.MustParseAddr("2001:db8::10")
	e.Reached, e.Target = netip.MustParseAddrPort("[2001:db8::1]:50000"), netip.MustParseAddrPort("[2001:db8::20]:50000")
	if err := m.Open(t.Context(), e); !errors.Is(err, report.ErrUnavailable) {
		t.Errorf("an IPv6 promise: %v, want report.ErrUnavailable", err)
	}
}

func TestAnOpenThatNobodyWaitsForIsClosed(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, m *Filter, v4 *fake) {
		ctx, cancel := context.WithCancel(t.Context())
		hold := make(chan struct{})
		go m.workers[0].doTask(t.Context(), func(context.Context) error { <-hold; return nil })
		synctest.Wait()
		opened := make(chan error, 1)
		go func() { opened <- m.Open(ctx, ruletest.Promise(1)) }()
		synctest.Wait()
		cancel()
		if err := <-opened; !errors.Is(err, context.Canceled) {
			t.Errorf("Open: %v, want context.Canceled", err)
		}
		close(hold)
		synctest.Wait()
		if len(v4.about("session")) > 0 || len(pinholesOf(m)) > 0 {
			t.Errorf("an abandoned promise was opened: %q", v4.about("session"))
		}
	})
}

func mustOpen(t *testing.T, m *Filter, e expect.Expectation) {
	t.Helper()
	if err := m.Open(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// rulesOf returns the rules of a gateway.
func rulesOf(s rule.Static) Ruleset {
	return func(f rule.Family) []rule.Rule {
		return s.Rules(f, rule.Marks{Delivery: 0x2000000, Pinhole: 0x4000000})
	}
}

// pinholesOf returns the pinholes in the order of their numbers.
func pinholesOf(m *Filter) []report.Pinhole {
	all := m.Pinholes()
	slices.SortFunc(all, func(a, b report.Pinhole) int { return int(a.ID) - int(b.ID) })
	return all
}
