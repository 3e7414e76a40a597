package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"ftpalg/cmd/internal/config"
	gateway "ftpalg/cmd/internal/daemon"
)

// defaultConfig is where the packages put the configuration.
const defaultConfig = "/etc/ftpalg/ftpalg.yaml"

func newRun() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the gateway in the foreground",
		Long: "run serves until SIGTERM or SIGINT; then it accepts no more, lets transfers finish for\n" +
			"limits.drain_timeout, and leaves no rule behind. SIGHUP reads the configuration again,\n" +
			"SIGUSR1 opens the transfer log anew.",
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), file, c.ErrOrStderr()) },
	}
	c.Flags().StringVarP(&file, "config", "c", defaultConfig, "configuration `file`")
	return c
}

func run(ctx context.Context, file string, stderr io.Writer) error {
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	log := newLog(stderr, cfg.Log.Format, level)
	setLevel := func(l config.Log) { level.Set(slogLevel(l.Level)) }
	setLevel(cfg.Log)
	d, err := gateway.New(gateway.Options{
		File: file, Config: cfg, Log: log, SetLevel: setLevel, Version: version(), Build: build(),
		Ready: func() {
			daemon.SdNotify(false, daemon.SdNotifyReady)
		},
		Stopping: func() { daemon.SdNotify(false, daemon.SdNotifyStopping) },
	})
	if err != nil {
		return err
	}
	// Idle sessions are the most of what there is, and they allocate nothing:
	// collecting twice as often costs little and halves what lies about.
	debug.SetGCPercent(50)
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	reload, stopReload := each(syscall.SIGHUP)
	defer stopReload()
	reopen, stopReopen := each(syscall.SIGUSR1)
	defer stopReopen()
	if err := d.Run(ctx, gateway.Asked{Reload: reload, Reopen: reopen}); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}
