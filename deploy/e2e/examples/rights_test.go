package examples

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/labtest"
)

func TestUnitGrantsWhatTheGatewayNeeds(t *testing.T) {
	u := readUnit(t)
	for _, e := range examples()[:2] { // one listens on a low port, one is transparent
		for name, in := range map[string]sandbox{
			" with the iptables in force": {unit: u},
			" with iptables-legacy":       {unit: u, legacy: legacyTools(t)},
		} {
			t.Run(e.gateway+name, func(t *testing.T) {
				t.Parallel()
				e.run(t, in)
			})
		}
	}
}

func TestUnitCleansUpAfterACrash(t *testing.T) {
	t.Parallel()
	top := labtest.New(t, lab.Outbound)
	g := strictGateway(t, top.Gateway, "network-edge.yaml", sandbox{unit: readUnit(t)})
	if left, err := ofOurs(top.Gateway); err != nil || len(left) == 0 {
		t.Fatalf("a running gateway has the rules %q: %v", left, err)
	}
	if err := g.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = g.Wait() // killed, as it must say
	cleanup := g.in.command(t, top.Gateway, filepath.Dir(g.socket), readUnit(t)["ExecStopPost"][1:]...)
	if out, err := cleanup.CombinedOutput(); err != nil {
		t.Errorf("cleanup: %v\n%s", err, out)
	}
	if left, err := ofOurs(top.Gateway); err != nil || len(left) > 0 {
		t.Errorf("cleanup left %q: %v", left, err)
	}
}

// With the unit's rights, a successor takes over, and serves.
func TestUnitLetsASuccessorTakeOver(t *testing.T) {
	t.Parallel()
	top := labtest.New(t, lab.Inbound)
	e := examples()[0]
	g := strictGateway(t, top.Gateway, e.gateway, sandbox{unit: readUnit(t)})
	if out, err := g.ask("upgrade"); err != nil {
		t.Fatalf("upgrade: %v: %s", err, out)
	}
	if err := g.Wait(); err != nil {
		t.Errorf("the first process ended with %v", err)
	}
	e.trips[0].run(t, top, []*gateway{g})
	for _, process := range successors(t, g) {
		if err := syscall.Kill(process, syscall.SIGTERM); err != nil {
			t.Error(err)
		}
	}
	await(t, "nothing is left", func() error {
		left, err := ofOurs(top.Gateway)
		if err == nil && len(left) > 0 {
			err = fmt.Errorf("%q", left)
		}
		return err
	})
}

// successors returns the processes of `ftpalg run` that came after a gateway's
// first.
func successors(t *testing.T, g *gateway) (found []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(filepath.Dir(filepath.Dir(g.socket)), "ftpalg.yaml")
	for _, file := range all {
		if line, err := os.ReadFile(file); err == nil && strings.Contains(string(line), "\x00run\x00--config\x00"+config+"\x00") {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			found = append(found, n)
		}
	}
	if len(found) != 1 {
		t.Fatalf("processes %v, want one", found)
	}
	return found
}

// ofOurs lists the host's chains, rules and policy rules of an ftpalg, IPv4.
func ofOurs(h *lab.Host) (lines []string, err error) {
	for _, list := range [][]string{{"iptables-save"}, {"ip", "rule"}} {
		out, failed := h.Command(context.Background(), list[0], list[1:]...).Output()
		err = errors.Join(err, failed)
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, "FTPALG") || strings.Contains(line, "lookup 2121") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines, err
}

func TestUnitLearnsThatTheGatewayIsReady(t *testing.T) {
	t.Parallel()
	u := readUnit(t)
	if got := u.one(t, "Type"); got != "notify" {
		t.Fatalf("Type=%s, want notify", got)
	}
	socket := filepath.Join(shortDir(t), "notify")
	manager, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = manager.Close() }) // nothing was written to it
	top := labtest.New(t, lab.Inbound)
	startGateway(t, top.Gateway, "legacy-server.yaml", sandbox{unit: u, notify: socket})
	if err := manager.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	message := make([]byte, 100)
	n, err := manager.Read(message)
	if got := string(message[:n]); err != nil || got != "READY=1" {
		t.Errorf("the service manager was told %q: %v", got, err)
	}
}

// legacyTools returns a folder in which the plain names are iptables-legacy's.
func legacyTools(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, family := range []string{"iptables", "ip6tables"} {
		for _, suffix := range []string{"", "-save", "-restore"} {
			tool := requireTool(t, family+"-legacy"+suffix)
			if err := os.Symlink(tool, filepath.Join(dir, family+suffix)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}
