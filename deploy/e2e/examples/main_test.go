package examples

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"ftpalg/deploy/lab/labtest"
)

// binaryVariable tells the tests where TestMain put the program.
const binaryVariable = "FTPALG_EXAMPLES_BINARY"

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ftpalg-examples-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "folder for the program:", err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary, err := labtest.Build(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := os.Setenv(binaryVariable, binary); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func binary() string { return os.Getenv(binaryVariable) }

// requireTool skips the test where a program is missing, or fails it in a run
// that must not skip anything (FTPALG_E2E=1).
func requireTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
	case os.Getenv("FTPALG_E2E") == "1":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
	return path
}
