package main

import (
	"errors"
	"io/fs"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/cli"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/daemon"
	"ftpalg/cmd/internal/doctor"
)

func newDoctor() *cobra.Command {
	var file string
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Say what this machine lacks, and the command that fixes it",
		Long: "doctor compares the machine, in the network namespace where it runs, with what a configuration asks of it.\n" +
			"It touches nothing. Without root it says what it could not look at. It exits with 0 if it finds no problem\n" +
			"(there may be warnings), and with 1 if it does. A setting by sysctl lasts until the next boot; what is to\n" +
			"last belongs into /etc/sysctl.d.",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := config.Load(file)
			if errors.Is(err, fs.ErrNotExist) && !c.Flags().Changed("config") {
				cfg, err = config.Default(), nil // what any gateway needs
			}
			if err != nil {
				return err
			}
			unknown := daemon.FillServers(c.Context(), cfg)
			facts := doctor.Look(c.Context(), doctor.Here(), cfg)
			if unknown != nil {
				facts.Unseen = append(facts.Unseen, doctor.Gap{What: "the way to a server", Err: unknown, Mend: "getent hosts NAME"})
			}
			found := doctor.Examine(facts, cfg)
			if asJSON {
				err = printJSON(c.OutOrStdout(), found, time.Time{})
			} else {
				err = doctor.Print(c.OutOrStdout(), found)
			}
			if err == nil && slices.ContainsFunc(found, func(f doctor.Finding) bool { return f.Severity == doctor.Problem }) {
				err = &cli.Answer{Status: cli.ExitFailed}
			}
			return err
		},
	}
	c.Flags().StringVarP(&file, "config", "c", defaultConfig, "configuration `file`; without it, what any gateway needs")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
