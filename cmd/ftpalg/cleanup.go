package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/opener"
)

// cleanupTimeout bounds a cleanup, which may have to wait for another
// program's lock.
const cleanupTimeout = 30 * time.Second

func newCleanup() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "cleanup",
		Short: "Remove every rule, chain and route that an ftpalg left",
		Long: "cleanup needs no running gateway, and may be run again. Of a gateway whose configuration sets\n" +
			"netfilter, give the file with --config, so that its routes are recognised.",
		RunE: func(c *cobra.Command, _ []string) error {
			var numbers config.Netfilter
			if file != "" {
				cfg, err := config.Load(file)
				if err != nil {
					return err
				}
				numbers = cfg.Netfilter
			}
			ctx, cancel := context.WithTimeout(c.Context(), cleanupTimeout)
			defer cancel()
			removed, err := opener.Cleanup(ctx, numbers)
			for _, what := range removed {
				fmt.Fprintln(c.OutOrStdout(), "removed:", what)
			}
			if err != nil {
				return fmt.Errorf("cleanup: %w", err)
			}
			if len(removed) == 0 {
				fmt.Fprintln(c.OutOrStdout(), "nothing was left")
			}
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "", "configuration `file` that sets netfilter")
	return c
}
