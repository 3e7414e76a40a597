package main

import (
	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/config"
)

func newSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration file",
		Long: "schema prints the JSON Schema by which editors check and complete a configuration. The packages install it as\n" +
			config.SchemaFile + "; the first line of each example names it.",
		RunE: func(c *cobra.Command, _ []string) error { return config.PrintSchema(c.OutOrStdout()) },
	}
}
