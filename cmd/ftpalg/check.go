package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/opener"
	"ftpalg/cmd/internal/words"
)

func newCheck() *cobra.Command {
	var file string
	var printRules bool
	c := &cobra.Command{
		Use:   "check",
		Short: "Check a configuration file",
		Long: "check exits with 0 if the file is good, and with 1 if not, having printed every error with its position.\n" +
			"It touches nothing. With --rules it prints the chains and rules that run would create.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := load(c, file)
			if err != nil {
				return err
			}
			if !printRules {
				fmt.Fprintf(c.OutOrStdout(), "%s: good, %s\n", file, words.Count(uint64(len(cfg.Listeners)), "listener"))
				return nil
			}
			planned, err := opener.PlannedRules(cfg)
			if err != nil {
				return err
			}
			for _, line := range planned {
				fmt.Fprintln(c.OutOrStdout(), line)
			}
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", defaultConfig, "configuration `file`")
	c.Flags().BoolVar(&printRules, "rules", false, "print the chains and rules that run would create")
	return c
}
