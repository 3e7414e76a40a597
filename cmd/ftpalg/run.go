package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"ftpalg/alg"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/link"
	"ftpalg/cmd/internal/opener"
)

// defaultConfig is where the packages put the configuration.
const defaultConfig = "/etc/ftpalg/ftpalg.yaml"

func newRun() *cobra.Command {
	var file string
	var successor, watch bool
	c := &cobra.Command{
		Use:   "run",
		Short: "Run the gateway in the foreground",
		Long: "run serves until SIGTERM or SIGINT; then it accepts no more, lets transfers finish for\n" +
			"limits.drain_timeout, and leaves no rule behind. SIGHUP reads the configuration again,\n" +
			"SIGUSR1 opens the transfer log anew.",
		RunE: func(c *cobra.Command, _ []string) error {
			return run(c.Context(), start{file: file, watch: watch, stderr: c.ErrOrStderr()}, successor)
		},
	}
	c.Flags().StringVarP(&file, "config", "c", defaultConfig, "configuration `file`, or a folder of .yaml files")
	c.Flags().BoolVar(&watch, "watch", false, "reload the configuration whenever it has changed")
	c.Flags().BoolVar(&successor, opener.LinkArgument, false, "take over from the gateway that has started this process")
	c.Flags().MarkHidden(opener.LinkArgument)
	return c
}

// start says how a gateway is started.
type start struct {
	file        string
	watch       bool
	predecessor *link.Link // nil for none
	stderr      io.Writer
}

// run is the opener's side of a gateway; see package opener.
func run(ctx context.Context, s start, successor bool) error {
	if !successor {
		return s.open(ctx)
	}
	l, err := link.New(os.NewFile(opener.LinkDescriptor, "link"))
	if err != nil {
		return fmt.Errorf("run: %w; `ftpalg upgrade` starts a successor", err)
	}
	defer l.Close()
	s.predecessor = l
	if err = s.open(ctx); err != nil {
		opener.Decline(l, err)
	}
	return err
}

func (s start) open(ctx context.Context) error {
	text, err := config.Read(s.file)
	if err != nil {
		return err
	}
	cfg, err := config.Parse(s.file, text)
	if err != nil {
		return err
	}
	log := newLogger(s.stderr)
	aliveEvery, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("run: systemd's watchdog: %w", err)
	}
	program, err := os.Executable() // while its file has this name
	if err != nil {
		return fmt.Errorf("run: find the program: %w", err)
	}
	// It does little at a time, and what the worker waits for it does on one
	// thread: more processors would only wake one another.
	runtime.GOMAXPROCS(1)
	debug.SetGCPercent(100)
	o, err := opener.New(opener.Options{
		File: s.file, Text: text, Watch: s.watch, Config: cfg, Log: log.with(cfg.Log), SetLevel: func(l config.Log) { log.with(l) },
		Ready:    notify(daemon.SdNotifyReady),
		Stopping: notify(daemon.SdNotifyStopping),
		Alive:    notify(daemon.SdNotifyWatchdog), AliveEvery: aliveEvery,
		Program: program, Predecessor: s.predecessor, Snapshot: alg.SnapshotVersion,
		Succeeded: func(process int) { daemon.SdNotify(false, fmt.Sprintf("MAINPID=%d", process)) },
	})
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	reload, stopReload := each(syscall.SIGHUP)
	defer stopReload()
	reopen, stopReopen := each(syscall.SIGUSR1)
	defer stopReopen()
	if err := o.Run(ctx, opener.Asked{Reload: reload, Reopen: reopen}); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// notify tells systemd, if it has started us (sd_notify(3)).
func notify(state string) func() {
	return func() { daemon.SdNotify(false, state) }
}
