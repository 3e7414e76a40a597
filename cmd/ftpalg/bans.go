package main

import (
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/cli"
)

func newBans() *cobra.Command {
	c := newQuestion("bans", "List the clients that are turned away after too many failed logins", (*admin.Client).Bans, showBans)
	list := c.RunE
	var lift string
	c.Flags().StringVar(&lift, "lift", "", "end the ban of this `address`")
	c.RunE = func(c *cobra.Command, args []string) error {
		if lift == "" {
			return list(c, args)
		}
		client, err := netip.ParseAddr(lift)
		if err != nil {
			return &cli.MisuseError{Err: fmt.Errorf("--lift %s: not an address", lift)}
		}
		if err := admin.NewClient(c.Flag("socket").Value.String()).LiftBan(client); err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "the ban of %s has been lifted\n", client)
		return err
	}
	return c
}

func showBans(w io.Writer, all []api.Ban, now time.Time) error {
	rows := make([]string, len(all))
	for i, b := range all {
		rows[i] = fmt.Sprintf("%s\t%s", b.Client, short(b.Until.Sub(now)))
	}
	return table(w, "CLIENT\tENDS IN", rows)
}
