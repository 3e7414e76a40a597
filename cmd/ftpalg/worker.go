package main

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/spf13/cobra"

	gateway "ftpalg/cmd/internal/daemon"
	"ftpalg/cmd/internal/link"
	"ftpalg/cmd/internal/opener"
	"ftpalg/cmd/internal/sandbox"
)

// newWorker is the command by which `ftpalg run` starts its second process.
func newWorker() *cobra.Command {
	return &cobra.Command{
		Use:    opener.WorkerCommand,
		Short:  "Serve the sessions of a running gateway (started by run)",
		Hidden: true,
		RunE:   func(c *cobra.Command, _ []string) error { return work(c.ErrOrStderr()) },
	}
}

func work(stderr io.Writer) error {
	// It was executed as /proc/self/exe; ps, and doctor, know it by its name.
	if err := os.WriteFile("/proc/self/comm", []byte("ftpalg"), 0); err != nil {
		return fmt.Errorf("worker: name the process: %w", err)
	}
	// The opener is told by signals; it says itself what the worker has to do.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGUSR1)
	l, err := link.New(os.NewFile(opener.LinkDescriptor, "link"))
	if err != nil {
		return fmt.Errorf("worker: %w; `ftpalg run` starts it", err)
	}
	defer l.Close()
	// Idle sessions are the most of what there is, and they allocate nothing:
	// collecting twice as often costs little and halves what lies about.
	debug.SetGCPercent(50)
	log := newLogger(stderr)
	if err := gateway.Run(gateway.Options{Link: l, Log: log.with, LockUp: sandbox.Enter, Version: version(), Build: build()}); err != nil {
		return fmt.Errorf("worker: %w", err)
	}
	return nil
}
