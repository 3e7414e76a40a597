package rules

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/expectation"
)

// onKernel runs a test of the conntrack path on the real kernel. Which
// generation of iptables carries the static rules matters to few.
func onKernel(t *testing.T) edge {
	t.Helper()
	needKernel(t)
	useGeneration(t, "nft")
	loopbackUp(t)
	t.Cleanup(func() { wipe(t, "nft") })
	t.Cleanup(func() { sh(t, "conntrack -F 2>/dev/null; true") })
	return newEdge(t)
}

func listed(t *testing.T) string {
	t.Helper()
	return sh(t, "conntrack -L expect 2>/dev/null; conntrack -L 2>/dev/null | grep ftp; conntrack -L -f ipv6 2>/dev/null | grep ftp; true")
}

func TestAnExpectationAdmitsExactlyOneConnection(t *testing.T) {
	generations(t, func(t *testing.T) {
		e := newEdge(t)
		m := startManager(t, Options{Path: Conntrack}, Static{})
		if path, why := m.Path(); path != "conntrack" {
			t.Fatalf("path %s: %s", path, why)
		}
		all := passages()
		accepted := map[expect.ID]<-chan net.Conn{}
		for _, p := range all {
			_, listening := p.hosts(e)
			accepted[p.ID] = listen(t, listening, p.Target.String(), nil)
		}
		noneComes(t, e, all, "before the pinhole was open", func(p passage) string { return p.from })
		for _, p := range all {
			mustOpen(t, m, p.Expectation)
			if len(m.Rules(p.ID)) != 1 {
				t.Errorf("%s: shown as %q", p.name, m.Rules(p.ID))
			}
		}
		noneComes(t, e, all, "from a stranger", func(p passage) string { return p.stranger })
		for _, p := range all {
			p.pass(t, e, accepted[p.ID])
		}
		noneComes(t, e, all, "a second time", passage.anyPort)
		for _, p := range m.Pinholes() {
			if p.State != Used {
				t.Errorf("%s is %s, want used", p, p.State)
			}
			m.Close(p.ID)
		}
		if left := m.Pinholes(); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		noneComes(t, e, all, "after the pinhole was closed", passage.anyPort)
	})
}

func TestOfManyAtOnceOneFindsTheExpectation(t *testing.T) {
	e := onKernel(t)
	m := startManager(t, Options{Path: Conntrack}, Static{})
	for _, p := range passages()[:3] {
		p.oneOfMany(t, m, e)
	}
}

// A closed promise admits nobody, a replaced one leads to its successor, and
// an expired one is reported.
func TestAnExpectationEndsWithItsPromise(t *testing.T) {
	e := onKernel(t)
	events := make(chan Event, 100)
	m := startManager(t, Options{Path: Conntrack, Observe: func(e Event) { events <- e }}, Static{})
	p := passages()[0]
	listen(t, e.server, "198.18.1.20:30001", nil)
	second := listen(t, e.server, "198.18.1.20:30101", nil)

	mustOpen(t, m, p.Expectation)
	m.Close(p.ID)
	eventually(t, "the expectation is withdrawn", func() bool { return len(m.Pinholes()) == 0 })
	if text := sh(t, "conntrack -L expect 2>/dev/null"); text != "" {
		t.Errorf("after Close the kernel holds %s", text)
	}

	newer := p.Expectation
	newer.ID, newer.Target = 11, netip.MustParseAddrPort("198.18.1.20:30101")
	p.ID = 10
	mustOpen(t, m, p.Expectation)
	mustOpen(t, m, newer)
	if dial(t, e.client, "203.0.113.10:0", p.Reached.String(), comes) == nil || arrived(t, second) == nil {
		t.Error("the second promise of a way did not replace the first")
	}
	m.Close(11)

	p.ID, p.Until = 12, time.Now().Add(2*time.Second)
	mustOpen(t, m, p.Expectation)
	for expired := false; !expired; {
		select {
		case e := <-events:
			expired = e.Kind == Expired && e.Pinhole.ID == 12
		case <-time.After(comes):
			t.Fatal("the promise did not expire")
		}
	}
	if dial(t, e.client, "203.0.113.10:0", p.Reached.String(), refused) != nil {
		t.Error("a connection came through after the deadline")
	}
	if err := m.Open(t.Context(), p.Expectation); !errors.Is(err, ErrEnded) {
		t.Errorf("an expired promise: %v, want ErrEnded", err)
	}
}

// A process that dies leaves expectations that the kernel ends at their
// deadline, to the second.
func TestTheKernelEndsAnExpectationByItself(t *testing.T) {
	e := onKernel(t)
	m, err := New(Options{Path: Conntrack})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context(), Static{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Cleanup(t.Context(), Options{}) })
	brief, lasting, long := passages()[0].Expectation, passages()[0].Expectation, passages()[0].Expectation
	lasting.ID, lasting.Reached = 2, netip.MustParseAddrPort("203.0.113.1:50002")
	long.ID, long.Reached, long.Until = 3, netip.MustParseAddrPort("203.0.113.1:50003"), time.Now().Add(time.Hour)
	brief.Until = time.Now().Add(4 * time.Second)
	listen(t, e.server, brief.Target.String(), nil)
	for _, e := range []expect.Expectation{brief, lasting, long} {
		mustOpen(t, m, e)
	}
	kill(m)
	// What the kernel was told is all that counts when nobody is left.
	asked, left := time.Now(), sh(t, "conntrack -L expect 2>/dev/null")
	if !strings.Contains(left, "dport=50001") {
		t.Fatalf("the brief promise was not left behind:\n%s", left)
	}
	for line := range strings.Lines(left) {
		most := expectation.Life
		if strings.Contains(line, "dport=50001") {
			most = brief.Until.Sub(asked) + time.Second
		}
		if still := must(time.ParseDuration(strings.Fields(line)[0] + "s")); still > most {
			t.Errorf("the kernel will keep a promise for %s: %s", still, line)
		}
	}
	eventually(t, "the kernel ends the brief promise", func() bool { return !strings.Contains(listed(t), "dport=50001") })
	if dial(t, e.client, "203.0.113.10:0", brief.Reached.String(), refused) != nil {
		t.Error("a promise outlived its deadline")
	}
	if dial(t, e.client, "203.0.113.10:0", lasting.Reached.String(), comes) == nil {
		t.Error("a promise did not outlive the process")
	}
	removed, err := Cleanup(t.Context(), Options{})
	if err != nil || !strings.Contains(strings.Join(removed, "\n"), "helper=ftp") {
		t.Errorf("Cleanup = %q, %v; want master entries among it", removed, err)
	}
	if text := listed(t); text != "" {
		t.Errorf("Cleanup left\n%s", text)
	}
	if removed, err := Cleanup(t.Context(), Options{}); err != nil || len(removed) > 0 {
		t.Errorf("second Cleanup = %q, %v; want nothing to do", removed, err)
	}
}

func TestStopLeavesNoShadow(t *testing.T) {
	onKernel(t)
	m, err := New(Options{Path: Conntrack})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context(), Static{}); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, m, examplePromise(1))
	if err := m.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	if text := listed(t); text != "" {
		t.Errorf("Stop left\n%s", text)
	}
}

func TestAForeignFlushOfConntrackIsHealed(t *testing.T) {
	e := onKernel(t)
	events := make(chan Event, 100)
	m := startManager(t, Options{Path: Conntrack, Observe: func(e Event) { events <- e }}, Static{})
	p := passages()[0]
	accepted := listen(t, e.server, p.Target.String(), nil)
	mustOpen(t, m, p.Expectation)
	sh(t, "conntrack -F 2>/dev/null")
	if e := <-events; e.Kind != Drift || len(e.Rules) != 1 {
		t.Errorf("event %s %q %v, want drift", e.Kind, e.Rules, e.Err)
	}
	p.pass(t, e, accepted)
	m.Close(p.ID)

	// The master entry is idle now: its loss is met by the next promise.
	sh(t, "conntrack -F 2>/dev/null")
	p.Expectation.ID = 2
	mustOpen(t, m, p.Expectation)
	p.pass(t, e, accepted)
}

func TestAFullTableOfExpectationsIsAnErrorOfItsOwn(t *testing.T) {
	onKernel(t)
	m := startManager(t, Options{Path: Conntrack}, Static{})
	room := must(time.ParseDuration(strings.TrimSpace(sh(t, "cat /proc/sys/net/netfilter/nf_conntrack_expect_max")) + "ns"))
	if room > 10000 {
		t.Skipf("the table has room for %d", room)
	}
	e := examplePromise(1)
	for n := range int(room) {
		e.ID, e.Reached = expect.ID(n+1), netip.AddrPortFrom(e.Reached.Addr(), uint16(20000+n))
		mustOpen(t, m, e)
	}
	e.ID, e.Reached = 100000, netip.AddrPortFrom(e.Reached.Addr(), 50000)
	err := m.Open(t.Context(), e)
	if !errors.Is(err, ErrFull) {
		t.Errorf("one more than %d: %v, want ErrFull", room, err)
	}
	if err := expectation.Probe(t.Context(), DefaultExpectationMark, DefaultEventBuffer); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), "expect_max") {
		t.Errorf("Probe: %v, want ErrFull and the sysctl's name", err)
	}
	auto := &Manager{options: Options{Path: Auto}.withDefaults()}
	if err := auto.settle(t.Context()); err != nil || auto.chosen != IPTables || !strings.Contains(auto.why, "expect_max") {
		t.Errorf("auto takes %s because %q, %v; want iptables because the table is full", auto.chosen, auto.why, err)
	}
	m.Close(1)
	eventually(t, "one is withdrawn", func() bool { return len(m.Pinholes()) < int(room) })
	e.ID = 100001
	mustOpen(t, m, e)
}

func TestManySessionsOpenAndCloseExpectations(t *testing.T) {
	onKernel(t)
	m := startManager(t, Options{Path: Conntrack}, Static{})
	var sessions sync.WaitGroup
	const each = 200
	for s := range 8 {
		sessions.Go(func() {
			for n := range each {
				id := expect.ID(s*each + n)
				if err := m.Open(t.Context(), examplePromise(id)); err != nil {
					t.Error(err)
				}
				m.Close(id)
			}
		})
	}
	sessions.Wait()
	eventually(t, "all are swept", func() bool { return len(m.Pinholes()) == 0 })
	if text := sh(t, "conntrack -L expect 2>/dev/null"); text != "" {
		t.Errorf("left:\n%s", text)
	}
}

// faulty is the real kernel, of which one answer is lost.
type faulty struct {
	expectation.Asker
	calls, at int
}

func (f *faulty) Execute() ([]ctnetlink.Refusal, error) {
	refused, err := f.Asker.Execute()
	if f.calls++; f.calls == f.at {
		return nil, errFault
	}
	return refused, err
}

func TestAFailedExpectationLeavesNothing(t *testing.T) {
	onKernel(t)
	m := must(New(Options{Path: Conntrack}))
	m.dial = func() (expectation.Asker, error) {
		k, err := ctnetlink.Dial()
		return &faulty{k, 0, 1}, err
	}
	if err := m.Start(t.Context(), Static{}); err != nil {
		t.Fatal(err)
	}
	defer m.Stop(context.Background())
	if err := m.Open(t.Context(), examplePromise(1)); !errors.Is(err, errFault) {
		t.Errorf("Open: %v, want the fault", err)
	}
	if text := listed(t); text != "" || len(m.Pinholes()) > 0 {
		t.Errorf("left: %v\n%s", m.Pinholes(), text)
	}
	mustOpen(t, m, examplePromise(2))
}

var errFault = errors.New("injected fault")

// Where the kernel's own helper is at work on a connection that bears our
// mark of interception, what it expects is not accepted.
func TestNoForeignExpectationIsAccepted(t *testing.T) {
	for _, line := range must(Plan(Options{Path: Conntrack}, Static{})) {
		if strings.Contains(line, "RELATED -m connmark") && !strings.Contains(line, "--mark "+bit(DefaultExpectationMark)) {
			t.Errorf("accepts other marks: %s", line)
		}
	}
	e := onKernel(t)
	startManager(t, Options{Path: Conntrack}, Static{})
	sh(t, `iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp
		iptables -t mangle -A PREROUTING -p tcp --dport 21 -j CONNMARK --set-xmark `+bit(DefaultPinholeMark)+`
		iptables -A FORWARD -p tcp --dport 21 -j ACCEPT`)
	t.Cleanup(func() { sh(t, "iptables -t raw -F") })
	accepted := listen(t, e.server, "198.18.1.20:21", nil)
	client := dial(t, e.client, "203.0.113.10:0", "198.18.1.20:21", comes)
	server := arrived(t, accepted)
	if client == nil || server == nil {
		t.Fatal("no control connection")
	}
	tell(t, server, client, "220 ready\r\n")
	tell(t, server, client, "227 Entering Passive Mode (198,18,1,20,117,51)\r\n") // port 30003
	helperExpects(t)
	listen(t, e.server, "198.18.1.20:30003", nil)
	if dial(t, e.client, "203.0.113.10:0", "198.18.1.20:30003", refused) != nil {
		t.Error("what a foreign helper expected came through")
	}
}

func bit(m uint32) string { return fmt.Sprintf("%#x/%#x", m, m) }
