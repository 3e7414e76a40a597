package rules

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"ftpalg/alg/expect"
	"ftpalg/rules/rule/ruletest"
)

// generations runs a test on the real kernel, once with each generation of
// iptables first in PATH.
func generations(t *testing.T, test func(t *testing.T)) {
	for _, g := range []string{"nft", "legacy"} {
		t.Run(g, func(t *testing.T) {
			needKernel(t)
			useGeneration(t, g)
			loopbackUp(t)
			t.Cleanup(func() { wipe(t, g) })
			test(t)
		})
	}
}

// needKernel skips a test of real netfilter unless the end-to-end tests are
// asked for; then it fails where this process has no right to run it.
func needKernel(t *testing.T) {
	t.Helper()
	if os.Getenv("FTPALG_E2E") != "1" {
		t.Skip("set FTPALG_E2E=1 to run the tests of real netfilter")
	}
	if os.Getenv(inNamespace) == "" {
		t.Fatal("needs root, to make a network namespace")
	}
}

func useGeneration(t *testing.T, g string) {
	t.Helper()
	dir := t.TempDir()
	for _, tool := range []string{"iptables", "ip6tables"} {
		for _, suffix := range []string{"", "-save", "-restore"} {
			real, err := exec.LookPath(tool + "-" + g + suffix)
			if err != nil {
				if os.Getenv("FTPALG_E2E") == "1" {
					t.Fatal(err)
				}
				t.Skip(err)
			}
			if err := os.Symlink(real, filepath.Join(dir, tool+suffix)); err != nil {
				t.Fatal(err)
			}
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
}

func loopbackUp(t *testing.T) {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		t.Fatal(err)
	}
}

// wipe empties this namespace's tables of one generation.
func wipe(t *testing.T, g string) {
	for _, tool := range []string{"iptables-", "ip6tables-"} {
		for _, table := range []string{"filter", "nat", "mangle"} {
			sh(t, tool+g+" -t "+table+" -F; "+tool+g+" -t "+table+" -X")
		}
		for _, c := range []string{"INPUT", "FORWARD", "OUTPUT"} {
			sh(t, tool+g+" -P "+c+" ACCEPT")
		}
	}
}

func sh(t *testing.T, command string) string {
	t.Helper()
	out, err := exec.Command("sh", "-c", command).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return string(out)
}

// saved returns what is in the kernel, without what differs each time:
// comments, counters, and tables that merely came into being.
func saved(t *testing.T) string {
	t.Helper()
	// On stderr, tools of one generation warn of the other's tables.
	text := sh(t, "exec 2>/dev/null; iptables-save; ip6tables-save; ip rule; ip -6 rule; ip route show table 2121 2>/dev/null || true; ip -6 route show table 2121 2>/dev/null || true")
	var lines []string
	for line := range strings.Lines(text) {
		builtin := regexp.MustCompile(`^:[A-Z]+ ACCEPT`).MatchString(line)
		if !builtin && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "*") && !strings.HasPrefix(line, "COMMIT") {
			lines = append(lines, regexp.MustCompile(`\[\d+:\d+\]`).ReplaceAllString(line, ""))
		}
	}
	return strings.Join(lines, "")
}

func exampleStatic() Static { return ruletest.Static() }

func examplePromise(id expect.ID) expect.Expectation { return ruletest.Promise(id) }

func startManager(t *testing.T, o Options, s Static) *Manager {
	t.Helper()
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Start(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m
}

func mustOpen(t *testing.T, m *Manager, e expect.Expectation) {
	t.Helper()
	if err := m.Open(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until a condition holds, with patience for a busy machine.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(comes); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
	}
}
