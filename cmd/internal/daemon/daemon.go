// Package daemon is `ftpalg run`: it wires the configuration, the listening
// sockets, the gateway and the rules together, and keeps them so until it is
// told to end.
package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/nat"
	"ftpalg/alg/transparent"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/metrics"
	"ftpalg/cmd/internal/xferlog"
	"ftpalg/rules"
)

// Options is what a Daemon is made of.
type Options struct {
	// File is the configuration file, read again by Reload; Config is what it
	// held at the start.
	File   string
	Config *config.Config
	Log    *slog.Logger
	// SetLevel changes the level of Log.
	SetLevel func(config.Log)
	// Observer is told what happens to sessions.
	Observer alg.Observer
	Version  string
	// Build is what the metrics say of the program.
	Build metrics.Build
	// Ready is called once every listener is up and its rules are in place,
	// Stopping when the end begins.
	Ready, Stopping func()
}

// Daemon is one running gateway.
type Daemon struct {
	o         Options
	log       *slog.Logger
	started   time.Time
	rules     *rules.Manager
	gateway   *alg.Gateway
	addresses *transparent.Addresses
	resolver  *resolver
	metrics   *metrics.Metrics
	meter     *meter
	refusals  *refusals
	transfers *xferlog.Log

	// changing is held while start, Reload, lookUp and stop are at work,
	// which may wait for the kernel or a name server. Only they change what
	// mu guards, but for down and rulesFailed.
	changing sync.Mutex
	stopped  bool

	// mu guards what others look at, and is never held while waiting.
	mu          sync.Mutex
	config      *config.Config
	table       nat.Table
	sockets     map[endpoint]*socket
	down        map[endpoint]error // sockets that stopped accepting
	ready       bool
	stopping    bool
	reloaded    time.Time
	reloadError error
	// rulesFailed is when rules could last not be compared or repaired, and
	// why.
	rulesFailed   time.Time
	rulesFailedBy error
	serving       sync.WaitGroup
}

// New returns a Daemon that has touched nothing yet. The error wraps
// rules.ErrUnavailable if the tools for netfilter are missing.
func New(o Options) (*Daemon, error) {
	d := &Daemon{
		o: o, log: o.Log, started: time.Now(), config: o.Config, reloaded: time.Now(),
		addresses: transparent.NewAddresses(),
		resolver:  newResolver(o.Log),
		metrics:   metrics.New(o.Build),
		meter:     newMeter(),
		refusals:  newRefusals(),
		sockets:   make(map[endpoint]*socket),
		down:      make(map[endpoint]error),
	}
	var err error
	options := ruleOptions(o.Config.Netfilter)
	options.Observe, options.Connections, options.Path = d.observe, d.follow, dataPath(o.Config.Data.Path)
	d.rules, err = rules.New(options)
	if err != nil {
		return nil, fmt.Errorf("prepare netfilter: %w", err)
	}
	d.gateway = alg.New(alg.Options{
		Kernel: &kernel{d.rules, d.addresses, d.listens}, Log: o.Log, Settings: settings(o.Config, nil),
		Observer: alg.Observers(d.metrics.Observer(), alg.Observer{TransferEnded: d.logTransfer},
			alg.Observer{TransferEnded: d.meter.transferEnded}, d.refusals.observer(), o.Observer),
	})
	d.metrics.Watch(d.measure)
	d.metrics.Reloaded(true, d.reloaded)
	return d, nil
}

// Asked are what signals ask for while the daemon runs.
type Asked struct {
	// Reload asks for Reload, Reopen for the transfer log to be opened anew.
	Reload, Reopen <-chan struct{}
}

// Run serves until ctx ends. It leaves no rule behind, whatever it returns: nil
// after an orderly end, otherwise the error of the rules, of a listener or of
// the admin interface that kept it from serving.
func (d *Daemon) Run(ctx context.Context, asked Asked) error {
	release, err := claim(claimed)
	if err != nil {
		return err
	}
	defer release()
	d.transfers = xferlog.New(d.transfersFailed)
	defer d.transfers.Close()
	d.transfers.Open(d.config.Log.Transfers)
	closeWindows, err := d.openWindows()
	if err != nil {
		return err
	}
	defer closeWindows()
	if err := d.start(ctx); err != nil {
		d.stop()
		return err
	}
	d.o.Ready()
	path, why := d.rules.Path()
	d.log.Info("ready", "event", "ready", "path", path, "why", why, "netfilter", d.rules.Describe(), "listeners", d.listening())
	d.watch(ctx, asked)
	d.unready()
	d.o.Stopping()
	d.log.Info("stopping", "event", "stopping", "grace", d.config.Limits.DrainTimeout)
	return d.stop()
}

func (d *Daemon) start(ctx context.Context) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	named := d.resolver.resolve(ctx, table(d.config))
	opened, err := d.openMissing(ctx, d.config)
	if err != nil {
		return err
	}
	if err := d.rules.Start(ctx, static(d.config, opened)); err != nil {
		closeAll(opened)
		return fmt.Errorf("install rules: %w", err)
	}
	d.publish(d.config, named, opened)
	d.serve(opened)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready = true
	return nil
}

// publish puts a configuration in force. The caller holds changing.
func (d *Daemon) publish(c *config.Config, t nat.Table, sockets map[endpoint]*socket) {
	d.gateway.Configure(settings(c, t))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.config, d.table, d.sockets, d.reloaded = c, t, sockets, time.Now()
}

// watch obeys reloads and looks names up again until ctx ends.
func (d *Daemon) watch(ctx context.Context, asked Asked) {
	tick := time.NewTicker(lookupRetry)
	defer tick.Stop()
	looked := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-asked.Reload:
			d.Reload()
		case <-asked.Reopen:
			d.reopen()
		case now := <-tick.C:
			if d.lookupDue(now.Sub(looked)) {
				d.lookUp(ctx)
				looked = now
			}
		}
	}
}

func (d *Daemon) lookupDue(since time.Duration) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(unresolved(d.table)) > 0 || named(d.table) && since >= lookupEvery
}

// lookUp resolves the names again; open sessions keep what they were told.
func (d *Daemon) lookUp(ctx context.Context) {
	d.changing.Lock()
	defer d.changing.Unlock()
	now := d.resolver.resolve(ctx, d.table)
	d.gateway.Configure(settings(d.config, now))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.table = now
}

// stop drains the sessions and removes every rule.
func (d *Daemon) stop() error {
	d.changing.Lock()
	defer d.changing.Unlock()
	d.stopped = true
	d.unready()
	closeAll(d.sockets)
	d.serving.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), d.config.Limits.DrainTimeout)
	defer cancel()
	d.gateway.Drain(ctx)
	ctx, cancel = context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := d.rules.Stop(ctx); err != nil {
		return fmt.Errorf("remove rules: %w; `ftpalg cleanup` tries again", err)
	}
	return nil
}

// unready says to those who ask that no new session should come.
func (d *Daemon) unready() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready, d.stopping = false, true
}

// stopTimeout bounds the removal of the rules, which may have to wait for
// another program's lock.
const stopTimeout = 20 * time.Second

// observe writes what the rules report into the log.
func (d *Daemon) observe(e rules.Event) {
	switch e.Kind {
	case rules.Expired:
		d.log.Debug("pinhole expired unused", "event", "pinhole_expired", "session", e.Pinhole.Session, "pinhole", e.Pinhole.Expectation)
	case rules.Drift:
		d.metrics.Drifted(len(e.Rules))
		d.log.Warn("netfilter rules had drifted and were repaired", "event", "rules_drift",
			"family", e.Family.String(), "rules", e.Rules)
	default:
		d.log.Error("netfilter rules cannot be repaired, trying again", "event", "rules_failed",
			"what", e.Kind.String(), "family", e.Family.String(), "error", e.Err)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.rulesFailed, d.rulesFailedBy = time.Now(), e.Err
	}
}

// follow passes on what data connections do. It is called for each of them,
// so it makes nothing that is not logged.
func (d *Daemon) follow(e rules.Event) {
	switch e.Kind {
	case rules.EventsLost:
		d.log.Warn("kernel events were lost; the state was read again",
			"event", "events_lost", "error", e.Err)
	case rules.Connected:
		d.gateway.Connected(e.Pinhole.ID)
		d.meter.connected(e.Pinhole.ID)
		d.trace(e, "data connection came", "event", "data_begin")
	case rules.Reopened:
		d.gateway.Reopened(e.Pinhole.ID)
		d.meter.ended(e.Pinhole.ID)
	case rules.Carrying:
		d.gateway.Carried(e.Pinhole.ID, e.Traffic.Sent, e.Traffic.Received)
		d.meter.read(e.Pinhole.ID, e.Traffic.Sent+e.Traffic.Received)
	case rules.Disconnected:
		d.gateway.Disconnected(e.Pinhole.ID, e.Traffic.Sent, e.Traffic.Received, e.Traffic.Counted)
		d.meter.read(e.Pinhole.ID, e.Traffic.Sent+e.Traffic.Received)
		d.meter.ended(e.Pinhole.ID)
		d.trace(e, "data connection ended", "event", "data_end", "counted", e.Traffic.Counted,
			"sent", e.Traffic.Sent, "received", e.Traffic.Received, "duration", e.Traffic.Duration)
	}
}

// trace logs an event of a data connection.
func (d *Daemon) trace(e rules.Event, what string, args ...any) {
	if d.log.Enabled(context.Background(), slog.LevelDebug) {
		d.log.With("session", e.Pinhole.Session, "pinhole", e.Pinhole.Expectation).Debug(what, args...)
	}
}
