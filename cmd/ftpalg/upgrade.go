package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/admin"
)

func newUpgrade() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:   "upgrade",
		Short: "Have the installed program take over from the running one",
		Long: "upgrade starts the program that is installed now, hands it the listening sockets and every\n" +
			"session, and ends the running one. No session ends, and data connections do not notice.\n" +
			"If the new program cannot take over, the running one goes on.\n\n" +
			"Sessions under TLS that ends at the gateway cannot be handed over: they get 421 when\n" +
			"their transfer has ended. These transfers, and those that are relayed, are finished by\n" +
			"the old program, for limits.drain_timeout at most.",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := admin.NewClient(socket).Upgrade(false); err != nil {
				return fmt.Errorf("the running program goes on: %w", err)
			}
			return nil
		},
	}
	c.Flags().StringVarP(&socket, "socket", "s", defaultSocket, "admin socket's `path`")
	return c
}
