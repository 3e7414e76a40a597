package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"ftpalg/cmd/internal/demo"
)

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "Show FTP through NAT and a closed firewall, on test hosts",
		Long: "demo needs no configuration and no FTP server. It builds a client, a gateway and a server as hosts in\n" +
			"network namespaces, shows how transfers fail without ftpalg and work with it, and removes everything.\n" +
			"The machine's own network is not touched. It needs root, iptables and iproute2.",
		RunE: func(c *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return fmt.Errorf("demo: find this program: %w", err)
			}
			// A reader that goes away (`ftpalg demo | head`) must not end the
			// process before it has removed its hosts.
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
			defer stop()
			out := c.OutOrStdout()
			if err := demo.Run(ctx, out, demo.Options{Program: program, Color: wantsColor(out)}); err != nil {
				return fmt.Errorf("demo: %w", err)
			}
			return nil
		},
	}
}

// wantsColor reports whether w is a terminal whose user did not decline
// colours (https://no-color.org).
func wantsColor(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}
