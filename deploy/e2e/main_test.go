package e2e

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"ftpalg/deploy/lab/labtest"
)

// binaryVariable is the environment variable that holds the absolute path of the
// binary under test. If it is empty the tests build one.
const binaryVariable = "FTPALG_BINARY"

// mostAtOnce is how many tests run at once: they wait more than they compute.
const mostAtOnce = "4"

func TestMain(m *testing.M) {
	status, err := buildAndRun(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(status)
}

func buildAndRun(m *testing.M) (int, error) {
	flag.Parse()
	if err := flag.Set("test.parallel", mostAtOnce); err != nil {
		return 1, fmt.Errorf("limit the tests at once: %w", err)
	}
	if os.Getenv(binaryVariable) != "" {
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "ftpalg-e2e-")
	if err != nil {
		return 1, fmt.Errorf("make a folder for the binary: %w", err)
	}
	defer os.RemoveAll(dir)
	binary, err := labtest.Build(dir)
	if err != nil {
		return 1, err
	}
	if err := os.Setenv(binaryVariable, binary); err != nil {
		return 1, fmt.Errorf("name the binary: %w", err)
	}
	return m.Run(), nil
}

// required is the environment variable that, set to 1, turns a test that lacks
// a program into a failure.
const required = "FTPALG_E2E"

// need skips the test unless every program is there.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			continue
		}
		if os.Getenv(required) == "1" {
			t.Fatalf("%s is missing", p)
		}
		t.Skipf("%s is missing", p)
	}
}
