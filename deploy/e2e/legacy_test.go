package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
)

// The programs of one generation of iptables.
var xtablesPrograms = []string{"", "-save", "-restore"}

// It changes PATH, which all tests share, so it runs by itself.
func TestInboundClientsAreServedUnderIptablesLegacy(t *testing.T) {
	need(t, "iptables-legacy", "ip6tables-legacy")
	dir := t.TempDir()
	for _, family := range []string{"iptables", "ip6tables"} {
		for _, program := range xtablesPrograms {
			legacy, err := exec.LookPath(family + "-legacy" + program)
			try(t, err)
			try(t, os.Symlink(legacy, filepath.Join(dir, family+program)))
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))

	s := newScene(t, lab.Inbound)
	g := newGateway(t, s.Gateway, settings{listeners: frontingClient})
	rules, ways := g.rules(t), routes(t, s.Gateway)
	g.start(t)
	if status, err := g.ask("status"); err != nil || !strings.Contains(status, "legacy") {
		t.Errorf("status says nothing of legacy: %s, %v", status, err)
	}
	for program, want := range map[string]bool{"iptables-legacy": true, "iptables-nft": false} {
		out, err := s.Gateway.Command(t.Context(), program, "-S").Output()
		try(t, err)
		if got := strings.Contains(string(out), "FTPALG-"); got != want {
			t.Errorf("%s shows the gateway's chains: %v, want %v", program, got, want)
		}
	}
	s.everyClient(t, s.server.files, allModes()...)
	g.closedAgain(t)
	flush(t, s.Gateway)
	within(t, healTimeout, "the rules are as before", func() error { return g.differs(t) })
	fetch(t, s.connect(t), s.server.files, modesOf(s.Contact)[0], "pub/file")
	g.stop(t)
	g.noTrace(t, rules, ways)
}
