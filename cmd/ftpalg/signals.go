package main

import (
	"os"
	"os/signal"
	"syscall"
)

// hangups yields one value for each SIGHUP, or for several that come while
// the first is being obeyed.
func hangups() (<-chan struct{}, func()) {
	signals := make(chan os.Signal, 1)
	out := make(chan struct{}, 1)
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		for range signals {
			select {
			case out <- struct{}{}:
			default:
			}
		}
	}()
	return out, func() {
		signal.Stop(signals)
		close(signals)
	}
}
