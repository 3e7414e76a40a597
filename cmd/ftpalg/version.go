package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/metrics"
)

// release is set by the linker: -X main.release=1.2.3.
var release = "dev"

// version returns the release and the revision that it was built from.
func version() string {
	if r := revision(); r != "" {
		return release + " (" + r + ")"
	}
	return release
}

// revision returns the beginning of the commit's hash, "" if it is unknown.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value[:min(12, len(s.Value))]
		}
	}
	return ""
}

// build is the same for metrics.
func build() metrics.Build {
	return metrics.Build{Version: release, Revision: revision(), GoVersion: runtime.Version()}
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), "ftpalg", version())
			return err
		},
	}
}
