// Package cli holds what the command lines of ftpalg's programs share: exit
// statuses, how errors are told, and the command that two of them have.
package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	ExitOK      = 0
	ExitFailed  = 1 // the command could not do its work, or the answer is no
	ExitMisused = 2 // the command line is wrong
)

// Answer is the error of a command whose output has said everything; Status
// is its exit status.
type Answer struct{ Status int }

// Error returns a text that nobody is shown.
func (a *Answer) Error() string { return fmt.Sprintf("exit status %d", a.Status) }

// MisuseError is the error of a wrong command line.
type MisuseError struct{ Err error }

// Error returns what is wrong with the command line.
func (e *MisuseError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *MisuseError) Unwrap() error { return e.Err }

// Execute runs one command line of root, tells its error on stderr, and
// returns the exit status.
func Execute(root *cobra.Command, args []string, stdout, stderr io.Writer) int {
	root.SilenceErrors, root.SilenceUsage = true, true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &MisuseError{err} })
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if _, _, unknown := root.Find(args); err != nil && unknown != nil {
		err = &MisuseError{unknown}
	}
	var said *Answer
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &said):
		return said.Status
	}
	fmt.Fprintln(stderr, "ftpalg:", err)
	if misuse := new(MisuseError); errors.As(err, &misuse) {
		return ExitMisused
	}
	return ExitFailed
}
