package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/admin"
)

func newReload() *cobra.Command {
	var socket string
	var upgrade bool
	c := &cobra.Command{
		Use:   "reload",
		Short: "Have the configuration read again, and wait for the outcome",
		RunE: func(c *cobra.Command, _ []string) error {
			change := admin.NewClient(socket).Reload
			if upgrade {
				change = func() error { return admin.NewClient(socket).Upgrade(true) }
			}
			if err := change(); err != nil {
				return fmt.Errorf("the running configuration stays in force: %w", err)
			}
			return nil
		},
	}
	c.Flags().BoolVar(&upgrade, "upgrade", false, "where the program has been replaced, have the new one take over (upgrade)")
	c.Flags().StringVarP(&socket, "socket", "s", defaultSocket, "admin socket's `path`")
	return c
}
