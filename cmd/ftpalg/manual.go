package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/cli"
	"ftpalg/cmd/internal/manual"
)

// newManual prints a manual page, for those who make packages.
func newManual() *cobra.Command {
	return &cobra.Command{
		Use:       "manual PAGE",
		Short:     "Print the manual page ftpalg.8 or ftpalg.yaml.5",
		Hidden:    true,
		Args:      cobra.ExactArgs(1),
		ValidArgs: []string{"ftpalg.8", "ftpalg.yaml.5"},
		RunE: func(c *cobra.Command, args []string) error {
			switch args[0] {
			case "ftpalg.8":
				return manual.Commands(c.OutOrStdout(), c.Root())
			case "ftpalg.yaml.5":
				return manual.Configuration(c.OutOrStdout())
			}
			return &cli.MisuseError{Err: fmt.Errorf("there is no page %q; there are ftpalg.8 and ftpalg.yaml.5", args[0])}
		},
	}
}
