package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/top"
)

func newTop() *cobra.Command {
	var socket string
	var batch bool
	var times int
	c := &cobra.Command{
		Use:   "top",
		Short: "Show the sessions on the terminal, and what they carry, as they go on",
		Long: "top asks the gateway once a second. Without a terminal that can be drawn on, or with --batch, it\n" +
			"prints plain text instead.",
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
			defer stop()
			if batch || times > 0 || !drawable() {
				return top.Batch(ctx, admin.NewClient(socket), c.OutOrStdout(), times)
			}
			return top.Run(ctx, admin.NewClient(socket))
		},
	}
	c.Flags().StringVarP(&socket, "socket", "s", defaultSocket, "admin socket's `path`")
	c.Flags().BoolVarP(&batch, "batch", "b", false, "print plain text")
	c.Flags().IntVarP(&times, "times", "n", 0, "print plain text this `number` of times, 0 means until interrupted")
	return c
}

// drawable reports whether the output is a terminal that knows more than
// lines.
func drawable() bool {
	name := os.Getenv("TERM")
	return name != "" && name != "dumb" && term.IsTerminal(int(os.Stdout.Fd()))
}
