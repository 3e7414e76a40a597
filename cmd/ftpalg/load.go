package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/cli"
	"ftpalg/cmd/internal/config"
)

// load reads a configuration file. What is wrong with it is printed, one line
// an error, and the command exits with 1.
func load(c *cobra.Command, file string) (*config.Config, error) {
	cfg, err := config.Load(file)
	var list config.List
	if errors.As(err, &list) {
		fmt.Fprintln(c.ErrOrStderr(), list)
		return nil, &cli.Answer{Status: cli.ExitFailed}
	}
	return cfg, err
}
