// Command ftpalg is an FTP application-layer gateway for Linux network edges.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	exitOK      = 0
	exitFailed  = 1 // the command could not do its work, or the answer is no
	exitMisused = 2 // the command line is wrong
)

func main() { os.Exit(execute(os.Args[1:], os.Stdout, os.Stderr)) }

// execute runs one command line and returns its exit status.
func execute(args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if _, _, unknown := root.Find(args); err != nil && unknown != nil {
		err = &misuseError{unknown}
	}
	var said *answer
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &said):
		return said.status
	}
	fmt.Fprintln(stderr, "ftpalg:", err)
	var misuse *misuseError
	if errors.As(err, &misuse) {
		return exitMisused
	}
	return exitFailed
}

// answer ends a command whose output has said everything.
type answer struct{ status int }

func (a *answer) Error() string { return fmt.Sprintf("exit status %d", a.status) }

// misuseError marks a wrong command line.
type misuseError struct{ err error }

func (e *misuseError) Error() string { return e.err.Error() }
func (e *misuseError) Unwrap() error { return e.err }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "ftpalg",
		Short:         "FTP through NAT and a closed firewall",
		Long:          "ftpalg takes over the control connections of FTP sessions at a network edge, rewrites\nthe addresses in them to fit the NAT, and opens each data connection in netfilter, one at a time.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &misuseError{err} })
	root.AddCommand(newRun(), newCheck(), newStatus(), newSessions(), newSession(), newKill(), newPinholes(), newTop(), newReload(), newCleanup(), newDoctor(), newExplain(), newInspect(), newDemo(), newVersion())
	for _, c := range root.Commands() {
		if c.Args == nil {
			c.Args = noArgs
		}
	}
	return root
}

func noArgs(c *cobra.Command, args []string) error {
	if err := cobra.NoArgs(c, args); err != nil {
		return &misuseError{err}
	}
	return nil
}
