package main

import (
	"github.com/spf13/cobra"
)

func newPrintConfig() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "print-config",
		Short: "Print a configuration file with every default filled in",
		Long: "print-config prints what the file means: every key that is in force, with its value. It touches nothing,\n" +
			"and hides admin.token.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := load(c, file)
			if err != nil {
				return err
			}
			return cfg.Print(c.OutOrStdout())
		},
	}
	c.Flags().StringVarP(&file, "config", "c", defaultConfig, "configuration `file`")
	return c
}
