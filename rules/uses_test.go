package rules

import (
	"strings"
	"testing"
	"time"
)

// Both ways in which the token of a used pinhole could be renewed: by another
// change of its table, and by a repair.
func TestAUsedPinholeIsNotArmedAgain(t *testing.T) {
	generations(t, func(t *testing.T) {
		e := newEdge(t)
		m := startManager(t, Options{CheckEvery: 200 * time.Millisecond}, Static{})
		all := passages()[:3]
		other := promised(99, all[0].Mode, "203.0.113.10", "203.0.113.1:50099", "198.18.1.20:30099", "203.0.113.10")
		for _, p := range all {
			accepted := listen(t, e.server, p.Target.String(), nil)
			mustOpen(t, m, p.Expectation)
			p.pass(t, e, accepted)
		}
		mustOpen(t, m, other)
		noneComes(t, e, all, "after another pinhole was opened", passage.anyPort)
		whole := strings.Count(saved(t), "PASV 99\"")
		sh(t, "iptables -t nat -F FTPALG-PREROUTING; iptables -F FTPALG-FORWARD")
		eventually(t, "the unused pinhole is repaired", func() bool { return strings.Count(saved(t), "PASV 99\"") == whole })
		noneComes(t, e, all, "after a flush was repaired", passage.anyPort)

		listen(t, e.server, other.Target.String(), nil)
		if dial(t, e.client, "203.0.113.10:0", other.Reached.String(), comes) == nil {
			t.Errorf("a pinhole that nobody used was not repaired:\n%s", saved(t))
		}
	})
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
