package readme

import (
	"fmt"
	"os"
	"testing"

	"ftpalg/deploy/lab/labtest"
)

// binFolder is the environment variable that tells the tests the folder in which
// TestMain put the program.
const binFolder = "FTPALG_README_BIN"

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "ftpalg-readme-")
	if err == nil {
		defer os.RemoveAll(dir)
		_, err = labtest.Build(dir)
	}
	if err == nil {
		err = os.Setenv(binFolder, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}
