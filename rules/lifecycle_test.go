package rules

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestStopLeavesTheKernelAsItWas(t *testing.T) {
	generations(t, func(t *testing.T) {
		sh(t, "iptables -P FORWARD DROP; iptables -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT; iptables -N OTHER; iptables -A INPUT -j OTHER")
		before := saved(t)
		m := startManager(t, Options{}, exampleStatic())
		mustOpen(t, m, examplePromise(1))
		if !strings.Contains(saved(t), "ftpalg session 12 PASV 1") {
			t.Errorf("the open pinhole is not in the kernel:\n%s", saved(t))
		}
		if err := m.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(before, saved(t)); diff != "" {
			t.Errorf("left behind (-before +after):\n%s", diff)
		}
	})
}

// The kernel prints what was planned, word for word: what `check --rules`
// and `pinholes` show is what an operator finds.
func TestTheKernelPrintsWhatWasPlanned(t *testing.T) {
	generations(t, func(t *testing.T) {
		m := startManager(t, Options{}, exampleStatic())
		mustOpen(t, m, examplePromise(1))
		planned, err := Plan(Options{}, exampleStatic())
		if err != nil {
			t.Fatal(err)
		}
		for tool, text := range map[string]string{"iptables": saidBy(t, "iptables"), "ip6tables": saidBy(t, "ip6tables")} {
			for _, line := range planned {
				rest, ok := strings.CutPrefix(line, tool+" ")
				rest = regexp.MustCompile(`-I (\w+) 1`).ReplaceAllString(rest, "-A $1")
				if ok && !strings.Contains(text, rest+"\n") {
					t.Errorf("%s does not print: %s", tool, rest)
				}
			}
		}
		for _, line := range m.Rules(1) {
			if !strings.Contains(saidBy(t, "iptables"), line+"\n") {
				t.Errorf("iptables does not print: %s\nbut\n%s", line, saidBy(t, "iptables"))
			}
		}
		if len(m.Rules(1)) != 3 {
			t.Errorf("rules of a promise with DNAT and SNAT: %q, want 3", m.Rules(1))
		}
	})
}

// saidBy returns `-S` of every table, each line with its table.
func saidBy(t *testing.T, tool string) string {
	var b strings.Builder
	for _, table := range []string{"filter", "nat", "mangle"} {
		for line := range strings.Lines(sh(t, tool+" -t "+table+" -S")) {
			b.WriteString("-t " + table + " " + line)
		}
	}
	return b.String()
}

func TestAForeignFlushIsHealed(t *testing.T) {
	damages := map[string]string{
		"flush":          "iptables -F; iptables -t nat -F; iptables -t mangle -F",
		"flush of nat":   "iptables -t nat -F",
		"reload":         "for t in filter nat mangle; do iptables -t $t -F; iptables -t $t -X; done; true",
		"deleted jump":   "iptables -D FORWARD 1",
		"policy route":   "ip rule del priority 2121; ip route flush table 2121",
		"IPv6":           "ip6tables -F; ip6tables -X; true",
		"half a pinhole": "iptables -F FTPALG-FORWARD",
	}
	generations(t, func(t *testing.T) {
		events := make(chan Event, 100)
		m := startManager(t, Options{CheckEvery: 200 * time.Millisecond, Observe: func(e Event) { events <- e }}, exampleStatic())
		mustOpen(t, m, examplePromise(1))
		whole := saved(t)
		for name, damage := range damages {
			for len(events) > 0 { // a repair in two steps is reported twice
				<-events
			}
			sh(t, damage)
			awaitDrift(t, events) // so there was damage, whoever looks too late
			eventually(t, name+" is healed", func() bool { return sorted(saved(t)) == sorted(whole) })
		}
	})
}

// awaitDrift waits for the report of a repair. One that failed may come
// before it: the damage may have gone on meanwhile.
func awaitDrift(t *testing.T, events <-chan Event) {
	t.Helper()
	for {
		select {
		case e := <-events:
			if e.Kind == Drift && len(e.Rules) > 0 {
				return
			}
			if e.Kind != RepairFailed {
				t.Errorf("event %s %q %v, want drift with its rules", e.Kind, e.Rules, e.Err)
			}
		case <-time.After(comes):
			t.Fatal("the repair was not reported")
		}
	}
}

func sorted(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestAPredecessorsLeftoversAreTakenOver(t *testing.T) {
	for _, former := range []string{"nft", "legacy"} {
		t.Run("left by "+former, func(t *testing.T) {
			generations(t, func(t *testing.T) {
				clean := saved(t)
				path := os.Getenv("PATH")
				useGeneration(t, former)
				dead, err := New(Options{})
				if err != nil {
					t.Fatal(err)
				}
				if err := dead.Start(t.Context(), exampleStatic()); err != nil {
					t.Fatal(err)
				}
				mustOpen(t, dead, examplePromise(1))
				kill(dead)
				t.Setenv("PATH", path)

				m := startManager(t, Options{}, Static{})
				if text := sh(t, "iptables-nft-save; iptables-legacy-save"); strings.Contains(text, "session 12") {
					t.Errorf("a dead pinhole survived:\n%s", text)
				}
				if err := m.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
				for _, g := range []string{"nft", "legacy"} {
					if text := sh(t, "iptables-"+g+"-save; ip6tables-"+g+"-save"); strings.Contains(text, "FTPALG-") {
						t.Errorf("%s still holds\n%s", g, text)
					}
				}
				if diff := cmp.Diff(clean, saved(t)); diff != "" {
					t.Errorf("left behind (-before +after):\n%s", diff)
				}
			})
		})
	}
}

// kill ends a Manager as a crash would: nothing is removed.
func kill(m *Manager) { m.Leave() }

func TestCleanupRemovesEverythingAndMayBeRepeated(t *testing.T) {
	generations(t, func(t *testing.T) {
		before := saved(t)
		m, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Start(t.Context(), exampleStatic()); err != nil {
			t.Fatal(err)
		}
		kill(m)
		removed, err := Cleanup(t.Context(), Options{})
		if err != nil || !strings.Contains(strings.Join(removed, "\n"), "iptables -t filter -N FTPALG-INPUT") {
			t.Errorf("Cleanup = %q, %v; want the removed chains among them", removed, err)
		}
		if diff := cmp.Diff(before, saved(t)); diff != "" {
			t.Errorf("left behind (-before +after):\n%s", diff)
		}
		if removed, err := Cleanup(t.Context(), Options{}); err != nil || len(removed) > 0 {
			t.Errorf("second Cleanup = %q, %v; want nothing to do", removed, err)
		}
	})
}
