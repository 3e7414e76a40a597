package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/deploy/lab/labtest"
)

// program is the path of the ftpalg that TestMain built, for the tests to
// read.
var program string

// TestMain builds the real program and the demo, and holds after all tests
// that none of their processes is left.
func TestMain(m *testing.M) { os.Exit(testMain(m)) }

// demoCommand returns the demo as a command.
func demoCommand(t *testing.T) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(program), "demo"), program)
}

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ftpalg-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	if program, err = labtest.Build(dir, "ftpalg/deploy/demo"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status := m.Run()
	if left := processes(); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "processes that outlive the tests:", left)
		return 1
	}
	return status
}

// processes lists those that run the program.
func processes() (pids []string) {
	links, _ := filepath.Glob("/proc/[0-9]*/exe")
	for _, link := range links {
		if exe, err := os.Readlink(link); err == nil && exe == program {
			pids = append(pids, filepath.Base(filepath.Dir(link)))
		}
	}
	return pids
}

// hostsOf lists the namespaces of the demo that a process made.
func hostsOf(t *testing.T, pid int) (names []string) {
	t.Helper()
	entries, err := os.ReadDir("/run/netns")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), fmt.Sprintf("%s-%d-", prefix, pid)) {
			names = append(names, entry.Name())
		}
	}
	return names
}

// needHosts skips the test unless the environment says that tests with test
// hosts must run.
func needHosts(t *testing.T) {
	t.Helper()
	if os.Getenv("FTPALG_E2E") != "1" {
		t.Skip("set FTPALG_E2E=1 to run the tests with test hosts")
	}
	if err := checkNeeds(t.Context()); err != nil {
		t.Fatal(err)
	}
}
