package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"ftpalg/alg/capture"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/inspect"
)

func newInspect() *cobra.Command {
	var file, live string
	var asJSON bool
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say what a capture shows, and why a transfer failed",
		Long: "inspect reads a capture (pcap or pcapng, gzipped or not; - is the standard input), finds the FTP sessions in it on\n" +
			"whatever port, and says for each what was announced, whether the other side could reach that, and what became of\n" +
			"the data connection. With --config it also says what ftpalg would have told the other side. It exits with 1 if the\n" +
			"capture cannot be read to its end.",
		Args: func(c *cobra.Command, args []string) error {
			if want := 1; (live == "") != (len(args) == want) || len(args) > want {
				return &misuseError{errors.New("inspect: name one capture file, or an interface with --live")}
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o := inspect.Options{Out: c.OutOrStdout(), JSON: asJSON, Live: live != ""}
			if file != "" {
				var err error
				if o.Config, err = config.Load(file); err != nil {
					return err
				}
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			if live != "" {
				return inspectLive(ctx, live, o, c.ErrOrStderr())
			}
			return inspectFile(ctx, args[0], o, c.InOrStdin(), c.ErrOrStderr())
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "", "also say what ftpalg would have told with this configuration `file`")
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line for each line that announces a data connection")
	c.Flags().StringVar(&live, "live", "", "inspect what passes an `interface`, until interrupted")
	return c
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
