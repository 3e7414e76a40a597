package labtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build builds ftpalg, ftpalg-inspect and ftpalg-acme into a folder, and the programs of
// further packages, and returns the path of the first. It builds as the Makefile does, so that all tests share what is compiled already, but
// asks no version control. Anybody may run the programs and enter the folder.
func Build(dir string, more ...string) (string, error) {
	program := filepath.Join(dir, "ftpalg")
	args := []string{"build", "-trimpath", "-buildvcs=false", "-o", dir, "ftpalg/cmd/ftpalg", "ftpalg/cmd/ftpalg-inspect", "ftpalg/cmd/ftpalg-acme"}
	build := exec.Command("go", append(args, more...)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", fmt.Errorf("open the programs' folder: %w", err)
	}
	return program, nil
}
