package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/admin"
)

func newKill() *cobra.Command {
	var socket string
	var number uint64
	c := &cobra.Command{
		Use:   "kill N",
		Short: "End one session with a 421, and its data connections",
		Args:  oneSession(&number),
		RunE: func(c *cobra.Command, _ []string) error {
			if err := admin.NewClient(socket).Kill(number); err != nil {
				return err
			}
			_, err := fmt.Fprintf(c.OutOrStdout(), "session %d has been ended\n", number)
			return err
		},
	}
	c.Flags().StringVarP(&socket, "socket", "s", defaultSocket, "admin socket's `path`")
	return c
}
