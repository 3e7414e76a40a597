package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/words"
)

const defaultSocket = "/run/ftpalg/admin.sock"

// newQuestion returns a command that asks the running gateway. Show prints
// the answer for people as it stands at a time, --json prints it as it is.
func newQuestion[T any](use, short string, ask func(*admin.Client) (T, error), show func(io.Writer, T, time.Time) error) *cobra.Command {
	return newJudgedQuestion(use, short, ask, show, func(T) error { return nil })
}

// newJudgedQuestion is newQuestion with an exit status that depends on the
// answer.
func newJudgedQuestion[T any](use, short string, ask func(*admin.Client) (T, error), show func(io.Writer, T, time.Time) error, judge func(T) error) *cobra.Command {
	var socket string
	var asJSON bool
	c := &cobra.Command{
		Use:   use,
		Short: short,
		RunE: func(c *cobra.Command, _ []string) error {
			v, err := ask(admin.NewClient(socket))
			if err != nil {
				return err
			}
			if asJSON {
				show = printJSON
			}
			if err := show(c.OutOrStdout(), v, time.Now()); err != nil {
				return err
			}
			return judge(v)
		},
	}
	c.Flags().StringVarP(&socket, "socket", "s", defaultSocket, "admin socket's `path`")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func printJSON[T any](w io.Writer, v T, _ time.Time) error {
	e := json.NewEncoder(words.JSON(w))
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// table prints rows of cells separated by tabs, aligned.
func table(w io.Writer, head string, rows []string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, head)
	for _, r := range rows {
		fmt.Fprintln(t, r)
	}
	return t.Flush()
}

// short rounds a duration for people.
func short(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
