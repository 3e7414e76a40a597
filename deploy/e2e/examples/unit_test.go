package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// removalTime is how long the gateway may take to remove its rules when it
// stops, after the drain.
const removalTime = 20 * time.Second

// installed is where the unit expects the program.
const installed = "/usr/bin/ftpalg"

// unit holds the words of each directive of the unit's [Service] section.
type unit map[string][]string

func readUnit(t *testing.T) unit {
	t.Helper()
	_, service, found := strings.Cut(read(t, deploy, "systemd", "ftpalg.service"), "[Service]\n")
	if !found {
		t.Fatal("the unit has no [Service]")
	}
	service, _, _ = strings.Cut(service, "\n[")
	u := unit{}
	for line := range strings.Lines(service) {
		directive, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		if ok && !strings.HasPrefix(directive, "#") {
			u[directive] = append(u[directive], strings.Fields(value)...)
		}
	}
	return u
}

func (u unit) one(t *testing.T, directive string) string {
	t.Helper()
	if len(u[directive]) != 1 {
		t.Fatalf("%s=%v, want one word", directive, u[directive])
	}
	return u[directive][0]
}

func TestUnitStopsTheGatewayInItsOwnTime(t *testing.T) {
	u := readUnit(t)
	timeout, err := time.ParseDuration(u.one(t, "TimeoutStopSec"))
	if err != nil {
		t.Fatal(err)
	}
	drain, err := time.ParseDuration(defaultOf(t, "drain_timeout"))
	if err != nil {
		t.Fatal(err)
	}
	if timeout < drain+removalTime {
		t.Errorf("TimeoutStopSec=%s, shorter than drain_timeout %s and %s", timeout, drain, removalTime)
	}
}

func TestUnitAllowsTwoSocketsForEachSession(t *testing.T) {
	limit, err := strconv.Atoi(readUnit(t).one(t, "LimitNOFILE"))
	if err != nil {
		t.Fatal(err)
	}
	sessions, err := strconv.Atoi(defaultOf(t, "sessions"))
	if err != nil {
		t.Fatal(err)
	}
	if reserve := limit - 2*sessions; reserve < 1000 {
		t.Errorf("LimitNOFILE=%d leaves %d beside %d sessions", limit, reserve, sessions)
	}
}

func TestUnitRunsCommandsThatExist(t *testing.T) {
	u := readUnit(t)
	for _, directive := range []string{"ExecStart", "ExecReload", "ExecStopPost"} {
		words := u[directive]
		if len(words) < 2 || strings.TrimPrefix(words[0], "-") != installed {
			t.Errorf("%s=%v, want %s and a command", directive, words, installed)
			continue
		}
		if out, err := exec.Command(binary(), append(words[1:len(words):len(words)], "--help")...).CombinedOutput(); err != nil {
			t.Errorf("%s=%v: %v\n%s", directive, words, err, out)
		}
	}
}

func TestSystemdFindsNoFaultInTheUnit(t *testing.T) {
	analyze := requireTool(t, "systemd-analyze")
	text := strings.ReplaceAll(read(t, deploy, "systemd", "ftpalg.service"), installed, binary())
	file := filepath.Join(t.TempDir(), "ftpalg.service")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	// The threshold is ten times the exposure, from 0 (none) to 10.
	for _, args := range [][]string{{"verify", "--man=no"}, {"security", "--no-pager", "--offline=true", "--threshold=25"}} {
		out, err := exec.Command(analyze, append(args, file)...).CombinedOutput()
		if err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}
