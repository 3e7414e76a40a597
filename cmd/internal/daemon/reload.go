package daemon

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"ftpalg/cmd/internal/config"
)

// errStopping answers a reload that comes too late.
var errStopping = errors.New("the gateway is stopping")

// Reload reads the configuration file again. If it is not good, or what it
// asks for cannot be had, the running configuration stays in force and the
// error says why. Sessions go on with what they began with.
func (d *Daemon) Reload() error {
	d.changing.Lock()
	defer d.changing.Unlock()
	err := d.reload(context.Background())
	d.mu.Lock()
	d.reloadError = err
	d.mu.Unlock()
	d.metrics.Reloaded(err == nil, time.Now())
	if err != nil {
		d.log.Error("configuration rejected, the running one stays in force",
			"event", "reload_failed", "file", d.o.File, "error", err)
		return err
	}
	d.log.Info("configuration reloaded", "event", "reload", "file", d.o.File, "listeners", d.listening())
	return nil
}

func (d *Daemon) reload(ctx context.Context) error {
	if d.stopped {
		return errStopping
	}
	next, err := config.Load(d.o.File)
	if err != nil {
		return err
	}
	if fixed := config.NeedsRestart(d.config, next); len(fixed) > 0 {
		return fmt.Errorf("%s: changed, which needs a restart", strings.Join(fixed, ", "))
	}
	named := d.resolver.resolve(ctx, d.keepAddresses(table(next)))
	opened, err := d.openMissing(ctx, next)
	if err != nil {
		return err
	}
	sockets, unwanted := d.sort(next, opened)
	if err := d.rules.Apply(ctx, static(next, sockets)); err != nil {
		closeAll(opened)
		return fmt.Errorf("install rules: %w", err)
	}
	d.o.SetLevel(next.Log)
	d.transfers.Open(next.Log.Transfers)
	d.publish(next, named, sockets)
	closeAll(unwanted)
	d.serve(opened)
	return nil
}

// sort tells the sockets that c wants from those that it no longer names.
func (d *Daemon) sort(c *config.Config, opened map[endpoint]*socket) (wanted, unwanted map[endpoint]*socket) {
	wanted, unwanted = maps.Clone(opened), maps.Clone(d.sockets)
	for i := range c.Listeners {
		for _, e := range endpoints(&c.Listeners[i]) {
			if wanted[e] == nil && d.sockets[e] != nil {
				wanted[e] = d.sockets[e]
				delete(unwanted, e)
			}
		}
	}
	return wanted, unwanted
}
