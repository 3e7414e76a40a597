package labtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Build builds the program into a folder and returns its path. It builds as
// the Makefile does, so that all tests share what is compiled already, but
// asks no version control. Anybody may run the program and enter the folder.
func Build(dir string) (string, error) {
	program := filepath.Join(dir, "ftpalg")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o", program, "ftpalg/cmd/ftpalg")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return "", fmt.Errorf("open the program's folder: %w", err)
	}
	return program, nil
}
