package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/cli"
	"ftpalg/cmd/internal/words"
)

func newSession() *cobra.Command {
	var number uint64
	c := newQuestion("session N", "Show one session: its dialogue, what was rewritten, its data connections",
		func(c *admin.Client) (api.SessionDetail, error) { return c.Session(number) }, showSession)
	c.Args = oneSession(&number)
	return c
}

// oneSession takes the number of a session from the command line.
func oneSession(number *uint64) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		err := cobra.ExactArgs(1)(c, args)
		if err == nil {
			if *number, err = strconv.ParseUint(args[0], 10, 64); err != nil {
				err = fmt.Errorf("%q is not the number of a session", args[0])
			}
		}
		if err != nil {
			return &cli.MisuseError{Err: err}
		}
		return nil
	}
}

func showSession(w io.Writer, s api.SessionDetail, now time.Time) error {
	for _, line := range words.Session(s, now) {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}
