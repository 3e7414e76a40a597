package main

import (
	"os"
	"os/signal"
)

// each yields one value for each signal of this kind, or for several that
// come while the first is being obeyed.
func each(kind os.Signal) (<-chan struct{}, func()) {
	signals := make(chan os.Signal, 1)
	out := make(chan struct{}, 1)
	signal.Notify(signals, kind)
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
