package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/cli"
)

func newDrain() *cobra.Command {
	var socket string
	var end bool
	var wait time.Duration
	c := &cobra.Command{
		Use:   "drain",
		Short: "Take no new sessions, and let those that are open end by themselves",
		Long: "drain is for maintenance: new clients get 421, and health and /readyz say that the gateway\n" +
			"is not ready, so that keepalived or a balancer turns to another machine. Open sessions\n" +
			"go on. With --wait it returns when none is left, and exits with 1 if some are after that\n" +
			"time. --end takes new sessions again.",
		RunE: func(c *cobra.Command, _ []string) error {
			gateway := admin.NewClient(socket)
			if err := gateway.TakeSessions(end); err != nil {
				return err
			}
			left, err := awaitDrained(gateway, time.Now().Add(wait))
			if err != nil {
				return err
			}
			if end {
				_, err = fmt.Fprintf(c.OutOrStdout(), "new sessions are taken; %d are open\n", left)
				return err
			}
			if _, err := fmt.Fprintf(c.OutOrStdout(), "no new sessions are taken; %d are left\n", left); err != nil {
				return err
			}
			if wait > 0 && left > 0 {
				return &cli.Answer{Status: cli.ExitFailed}
			}
			return nil
		},
	}
	c.Flags().StringVarP(&socket, "socket", "s", defaultSocket, "admin socket's `path`")
	c.Flags().BoolVar(&end, "end", false, "take new sessions again")
	c.Flags().DurationVar(&wait, "wait", 0, "how long to wait for open sessions to end, such as 10m")
	c.MarkFlagsMutuallyExclusive("end", "wait")
	return c
}

// awaitDrained waits until no session is open, at most until then, and returns
// how many are.
func awaitDrained(gateway *admin.Client, until time.Time) (left int, err error) {
	const lookAgain = 500 * time.Millisecond
	for {
		s, err := gateway.Status()
		if err != nil || s.Sessions == 0 || !time.Now().Before(until) {
			return s.Sessions, err
		}
		time.Sleep(min(lookAgain, time.Until(until)))
	}
}
