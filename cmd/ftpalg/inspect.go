package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"ftpalg/cmd/internal/cli"
)

// inspectProgram reads captures. It is a program of its own, so that a running
// gateway does not carry the tables of every protocol that a capture may hold.
const inspectProgram = "ftpalg-inspect"

func newInspect() *cobra.Command {
	return cli.NewInspect(func(_ *cobra.Command, o cli.InspectOptions) error {
		own, err := os.Executable()
		if err != nil {
			return fmt.Errorf("inspect: find this program: %w", err)
		}
		program, err := findInspect(own)
		if err != nil {
			return fmt.Errorf("inspect: %w", err)
		}
		err = unix.Exec(program, append([]string{program}, o.Args()...), os.Environ())
		return fmt.Errorf("inspect: execute %s: %w", program, err)
	})
}

// findInspect returns the path of inspectProgram, which stands beside the
// program own, or in PATH.
func findInspect(own string) (string, error) {
	beside := filepath.Join(filepath.Dir(own), inspectProgram)
	if found, err := exec.LookPath(beside); err == nil {
		return found, nil
	}
	found, err := exec.LookPath(inspectProgram)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return "", fmt.Errorf("%s is neither %s nor in PATH; it is built and installed together with ftpalg (make ftpalg, make install)", inspectProgram, beside)
	}
	return found, err
}
