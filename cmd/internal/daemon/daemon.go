// Package daemon is the worker of `ftpalg run`: it serves the sessions, shows
// them and writes them down, without any privilege. What needs one it asks of
// the other process (package opener).
package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
	"ftpalg/alg/transparent"
	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/link"
	"ftpalg/cmd/internal/metrics"
	"ftpalg/cmd/internal/opener"
	"ftpalg/cmd/internal/xferlog"
)

// Options is what a Daemon is made of.
type Options struct {
	// Link leads to the opener.
	Link *link.Link
	// Log returns the program's log as the configuration wants it. The level of
	// all that it returned follows the last call.
	Log func(config.Log) *slog.Logger
	// LockUp takes from this process what it does not need, before it reads
	// anything from a network. It returns what is missing of that, "" if
	// nothing is.
	LockUp func() (missing string, err error)
	// Observer is told what happens to sessions.
	Observer alg.Observer
	Version  string
	// Build is what the metrics say of the program.
	Build metrics.Build
}

// Daemon is the worker of one running gateway.
type Daemon struct {
	o         Options
	log       *slog.Logger
	started   time.Time
	remote    *remote
	gateway   *alg.Gateway
	addresses *transparent.Addresses
	resolver  *resolver
	metrics   *metrics.Metrics
	meter     *meter
	refusals  *refusals
	transfers *xferlog.Log
	// setups, reopen and stop are what the opener asks for.
	setups chan opener.Setup
	reopen chan struct{}
	stop   chan struct{}
	// parks, resumes and leaves are what it says while it hands over to a
	// successor, or takes over from a predecessor.
	parks           chan *os.File
	resumes, leaves chan struct{}
	inherited       inherited
	parked          *parked   // nil while nobody is to take over
	waiting         []*socket // that accept once the predecessor has left
	closeWindows    func()
	warnOfRoom      sync.Once

	// mu guards what others look at, and is never held while waiting.
	mu       sync.Mutex
	file     string
	config   *config.Config
	table    nat.Table
	received map[uint32]net.Listener // that no configuration has named yet
	sockets  map[uint32]*socket
	down     map[uint32]error // sockets that stopped accepting
	ready    bool
	stopping bool
	reloaded time.Time
	// certificates are those in force.
	certificates []api.Certificate
	// servers are those of listeners that have several, by the listener's name.
	servers map[string]*alg.Servers
	// reloadError is why the last reload was not taken, "" if it was.
	reloadError string
	// rulesFailed is when rules could last not be compared or repaired, and
	// why.
	rulesFailed   time.Time
	rulesFailedBy string
	serving       sync.WaitGroup
}

// Run serves until the opener asks it to end, or ends. The error says what
// kept it from serving.
func Run(o Options) error {
	d := &Daemon{
		o: o, started: time.Now(),
		metrics: metrics.New(o.Build), meter: newMeter(), refusals: newRefusals(),
		setups: make(chan opener.Setup, 1), reopen: make(chan struct{}, 1), stop: make(chan struct{}),
		parks: make(chan *os.File, 1), resumes: make(chan struct{}, 1), leaves: make(chan struct{}, 1),
		received: make(map[uint32]net.Listener), sockets: make(map[uint32]*socket), down: make(map[uint32]error),
	}
	d.remote = newRemote(o.Link, d.obey)
	d.addresses = transparent.NewAddresses(d.remote.addresses)
	ended := make(chan error, 1)
	go func() { ended <- d.remote.receive() }()
	select {
	case s := <-d.setups:
		return d.run(s, ended)
	case err := <-ended:
		return fmt.Errorf("the opener has ended: %w", err)
	}
}

func (d *Daemon) run(first opener.Setup, ended <-chan error) error {
	c, err := config.Parse(first.File, first.Text)
	if err != nil {
		return err
	}
	d.log = d.o.Log(c.Log)
	missing, err := d.o.LockUp()
	if err != nil {
		return err
	}
	if missing != "" {
		d.log.Warn("files are protected by their permissions only", "event", "sandbox_incomplete", "missing", missing)
	}
	d.resolver = newResolver(d.log)
	d.config, d.file = c, first.File
	d.gateway = alg.New(alg.Options{
		Kernel: d.remote, Log: d.log, Settings: d.settings(c, nil), ReadLowWater: readLowWater,
		Observer: alg.Observers(d.metrics.Observer(), alg.Observer{TransferEnded: d.logTransfer}, alg.Observer{TransferEnded: d.noteTransfer},
			d.meter.observer(), d.refusals.observer(), d.o.Observer),
	})
	d.metrics.Watch(d.measure)
	d.metrics.Reloaded(true, time.Now())
	d.transfers = xferlog.New(d.remote.openLog, d.transfersFailed)
	defer d.transfers.Close()
	if d.closeWindows, err = d.openWindows(first.Token); err != nil {
		return err
	}
	defer func() { d.closeWindows() }()
	if err := d.configure(context.Background(), first, c); err != nil {
		return err
	}
	d.mu.Lock()
	d.ready = true
	d.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	var probing sync.WaitGroup
	probing.Go(func() { d.probeServers(ctx) })
	defer probing.Wait()
	defer cancel()
	return d.watch(ended)
}

// watch does what the opener asks for, and looks names up again, until the end.
func (d *Daemon) watch(ended <-chan error) error {
	tick := time.NewTicker(lookupRetry)
	defer tick.Stop()
	looked := time.Now()
	for {
		select {
		case <-d.stop:
			d.drain(d.config.Limits.DrainTimeout)
			return nil
		case err := <-ended:
			d.log.Error("the opener has ended, and so do all sessions", "event", "opener_ended", "error", err)
			d.drain(0)
			return errOpenerEnded
		case s := <-d.setups:
			d.reconfigure(s)
		case f := <-d.parks:
			d.park(f)
		case <-d.resumes:
			d.resume()
		case <-d.leaves:
			d.leave()
			return nil
		case <-d.reopen:
			d.transfers.Open(d.config.Log.Transfers)
			d.log.Info("transfer log reopened", "event", "reopened", "file", d.config.Log.Transfers)
		case now := <-tick.C:
			if d.lookupDue(now.Sub(looked)) {
				d.lookUp(context.Background())
				looked = now
			}
		}
	}
}

// reconfigure puts a further configuration in force, which the opener has found
// good.
func (d *Daemon) reconfigure(s opener.Setup) {
	c, err := config.Parse(s.File, s.Text)
	if err == nil {
		d.o.Log(c.Log)
		err = d.configure(context.Background(), s, c)
	}
	if err != nil {
		d.log.Error("configuration cannot be used", "event", "reload_failed", "file", s.File, "error", err)
		d.remote.link.Send(link.Record{Op: link.Configured, Code: 1})
	}
}

// configure puts a configuration in force and says so.
func (d *Daemon) configure(ctx context.Context, s opener.Setup, c *config.Config) error {
	services, err := servicesOf(&s, c, d.servers)
	if err != nil {
		return err
	}
	named := d.resolver.resolve(ctx, d.keepAddresses(table(c)))
	servers := serversOf(services)
	d.lookUpServers(ctx, c, servers)
	d.gateway.Configure(d.settings(c, named))
	d.transfers.Open(c.Log.Transfers)
	d.mu.Lock()
	d.config, d.table, d.reloaded, d.certificates = c, named, time.Now(), certificatesOf(services)
	d.servers = servers
	d.mu.Unlock()
	if s.Inherited {
		if err := d.restore(services); err != nil {
			return err
		}
	}
	d.serve(&s, services)
	d.remote.link.Send(link.Record{Op: link.Configured})
	return nil
}

func (d *Daemon) lookupDue(since time.Duration) bool {
	if len(unresolved(d.table)) > 0 || len(serversUnknown(d.config, d.servers)) > 0 {
		return true
	}
	return (named(d.table) || serversNamed(d.config)) && since >= lookupEvery
}

// lookUp resolves the names again; open sessions keep what they were told.
func (d *Daemon) lookUp(ctx context.Context) {
	now := d.resolver.resolve(ctx, d.table)
	d.lookUpServers(ctx, d.config, d.servers)
	d.gateway.Configure(d.settings(d.config, now))
	d.mu.Lock()
	defer d.mu.Unlock()
	d.table = now
}

// drain takes no more connections and lets the sessions end.
func (d *Daemon) drain(grace time.Duration) {
	d.mu.Lock()
	d.ready, d.stopping = false, true
	d.mu.Unlock()
	for _, s := range d.sockets {
		s.close()
	}
	d.serving.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	d.gateway.Drain(ctx)
}

// obey takes what the opener says of its own accord. It does not wait.
func (d *Daemon) obey(r link.Record, f *os.File) {
	switch r.Op {
	case link.ListeningSocket:
		d.keepListener(r.Socket, f)
	case link.Configure:
		var s opener.Setup
		if err := link.Text(f, &s); err == nil {
			d.setups <- s // the opener waits for one before it sends another
		}
	case link.Connected, link.Reopened, link.Carrying, link.Disconnected:
		d.follow(r)
	case link.Drifted:
		d.metrics.Drifted(int(r.Count))
	case link.RulesFailed:
		var why string
		link.Text(f, &why)
		d.mu.Lock()
		d.rulesFailed, d.rulesFailedBy = time.Now(), why
		d.mu.Unlock()
	case link.Reloaded:
		var why string
		link.Text(f, &why)
		d.metrics.Reloaded(why == "", time.Now())
		d.mu.Lock()
		d.reloadError = why
		d.mu.Unlock()
	case link.Reopen:
		select {
		case d.reopen <- struct{}{}:
		default: // it is on its way
		}
	case link.Kept:
		d.inherited.keep(r, f)
	case link.Snapshot:
		d.inherited.snapshot = f
	case link.Park:
		d.parks <- f // the opener asks for one at a time
	case link.Resume:
		d.resumes <- struct{}{}
	case link.Leave:
		d.leaves <- struct{}{}
	case link.Stop:
		close(d.stop)
	case link.Ping:
		d.remote.link.Send(link.Record{Op: link.Alive})
	}
}

// follow passes on what data connections do. It is called for each of them,
// so it makes nothing that is not logged.
func (d *Daemon) follow(r link.Record) {
	switch r.Op {
	case link.Connected:
		d.gateway.Connected(r.ID)
		d.meter.connected(r.ID)
		d.trace(r, "data connection came", "event", "data_begin")
	case link.Reopened:
		d.gateway.Reopened(r.ID)
		d.meter.ended(r.ID)
	case link.Carrying:
		d.gateway.Carried(r.ID, r.Sent, r.Received)
		d.meter.read(r.ID, r.Sent+r.Received)
	case link.Disconnected:
		d.trace(r, "data connection ended", "event", "data_end", "counted", r.Counted,
			"sent", r.Sent, "received", r.Received, "duration", time.Duration(r.Took))
		d.gateway.Disconnected(r.ID, r.Sent, r.Received, r.Counted)
		d.meter.read(r.ID, r.Sent+r.Received)
		d.meter.ended(r.ID)
	}
}

// trace logs an event of a data connection that is known yet.
func (d *Daemon) trace(r link.Record, what string, args ...any) {
	if !d.log.Enabled(context.Background(), slog.LevelDebug) {
		return
	}
	e := expect.Expectation{ID: r.ID, Session: r.Session, Mode: r.Mode}
	if c, ok := d.gateway.Data(r.ID); ok {
		e.From, e.Reached, e.Target, e.Seen = c.From, c.Reached, c.Target, c.Seen
	}
	d.log.With("session", r.Session, "pinhole", e).Debug(what, args...)
}

// Reload has the configuration file read again. If it is not good, or what it
// asks for cannot be had, the running configuration stays in force and the
// error says why. Sessions go on with what they began with.
func (d *Daemon) Reload() error { return d.remote.reload() }
