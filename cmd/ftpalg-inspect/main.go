// Command ftpalg-inspect reads captures of FTP. `ftpalg inspect` executes it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"ftpalg/alg/capture"
	"ftpalg/cmd/internal/cli"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/inspect"
)

func main() { os.Exit(cli.Execute(newCommand(), os.Args[1:], os.Stdout, os.Stderr)) }

func newCommand() *cobra.Command {
	c := cli.NewInspect(run)
	c.Use = "ftpalg-inspect FILE"
	return c
}

func run(c *cobra.Command, asked cli.InspectOptions) error {
	o := inspect.Options{Out: c.OutOrStdout(), JSON: asked.JSON, Live: asked.Live != ""}
	if asked.Config != "" {
		var err error
		if o.Config, err = config.Load(asked.Config); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if asked.Live != "" {
		return inspectLive(ctx, asked.Live, o, c.ErrOrStderr())
	}
	return inspectFile(ctx, asked.File, o, c.InOrStdin(), c.ErrOrStderr())
}

func inspectFile(ctx context.Context, name string, o inspect.Options, stdin io.Reader, stderr io.Writer) error {
	in, size := stdin, int64(0)
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return fmt.Errorf("inspect: %w", err)
		}
		defer f.Close()
		if info, err := f.Stat(); err == nil {
			size = info.Size()
		}
		in = f
	}
	meter := newMeter(in, size, stderr)
	defer meter.clear()
	r, err := capture.NewReader(meter)
	if err != nil {
		return fmt.Errorf("inspect %s: %w", name, err)
	}
	o.Progress = meter.show
	if err := inspect.Run(ctx, r, o); err != nil {
		meter.clear()
		return fmt.Errorf("inspect %s: %w", name, err)
	}
	return nil
}
