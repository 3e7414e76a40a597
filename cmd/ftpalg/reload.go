package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/admin"
)

func newReload() *cobra.Command {
	var socket string
	c := &cobra.Command{
		Use:   "reload",
		Short: "Have the configuration read again, and wait for the outcome",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := admin.NewClient(socket).Reload(); err != nil {
				return fmt.Errorf("the running configuration stays in force: %w", err)
			}
			return nil
		},
	}
	c.Flags().StringVarP(&socket, "socket", "s", defaultSocket, "admin socket's `path`")
	return c
}
