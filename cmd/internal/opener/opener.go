package opener

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"ftpalg/alg/transparent"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/link"
	"ftpalg/rules"
)

// Options is what an Opener is made of.
type Options struct {
	// File is the configuration file, read again by a reload; Config is what
	// Text held at the start.
	File   string
	Text   []byte
	Config *config.Config
	Log    *slog.Logger
	// SetLevel changes the level of Log.
	SetLevel func(config.Log)
	// Watch says that File is looked at, and reloaded when it has changed.
	Watch bool
	// Ready is called once the worker serves and its rules are in place,
	// Stopping when the end begins, and Alive every half AliveEvery while both
	// processes answer, unless that is 0.
	Ready, Stopping, Alive func()
	AliveEvery             time.Duration
	// Program is what an upgrade starts. Succeeded is called with the number of
	// its process once that has taken over.
	Program   string
	Succeeded func(process int)
	// Snapshot is the version in which the worker writes sessions down.
	Snapshot int
	// Predecessor is the gateway to take over from, nil for none.
	Predecessor *link.Link
}

// Asked are what signals ask for while the gateway runs.
type Asked struct {
	// Reload asks for the configuration to be read again, Reopen for the
	// transfer log to be opened anew.
	Reload, Reopen <-chan struct{}
}

// Opener is the privileged process of one running gateway.
type Opener struct {
	o         Options
	log       *slog.Logger
	current   atomic.Pointer[netfilter] // see rules
	addresses *transparent.Addresses
	link      *link.Link
	ledger    *ledger
	// quick says that a pinhole opens in microseconds, so that it is not worth a
	// goroutine; set once rules have started.
	quick bool
	// dialMark is on the packets of connections to the targets of relayed
	// promises, by which the rules accept them; 0 where there are none.
	dialMark uint32
	working  sync.WaitGroup // what waits for the kernel on the worker's behalf
	reloads  atomic.Int32   // and upgrades that wait or are at work
	alive    atomic.Int64   // when the worker last answered a Ping, Unix nanoseconds
	// claim is held, and the windows are open, while the gateway runs; claim is
	// nil where another program has the name.
	claim   *net.UnixListener
	windows windows
	// successor is what the worker hands its sessions over to, nil while nobody
	// is to take over. succeeded yields it once it has.
	successor atomic.Pointer[successor]
	succeeded chan *successor
	// owner says that the rules in the kernel are this process's to remove.
	owner bool

	// changing is held while start, reload and stop are at work, which may wait
	// for the kernel. Only they change what mu guards, but for failed sockets.
	changing sync.Mutex
	stopped  bool
	// lastSocket is the number of the last socket that was opened.
	lastSocket uint32
	// keys are in force; keysError is why the files could last not be used.
	keys      map[string]Keys
	keysError string
	// asking is the process that asks authorities for certificates, nil for none.
	asking *asking
	// taken is told whether the worker has taken a configuration.
	taken chan bool

	// mu guards what others look at, and is never held while waiting.
	mu      sync.Mutex
	config  *config.Config
	text    []byte
	sockets map[endpoint]*socket
}

// New returns an Opener that has touched nothing yet. The error wraps
// rules.ErrUnavailable if the tools for netfilter are missing.
func New(options Options) (*Opener, error) {
	o := &Opener{
		o: options, log: options.Log, config: options.Config, text: options.Text,
		addresses: transparent.NewAddresses(transparent.InterfaceAddresses),
		ledger:    newLedger(), sockets: make(map[endpoint]*socket), taken: make(chan bool, 1),
		succeeded: make(chan *successor, 1), owner: options.Predecessor == nil,
	}
	m, err := prepare(options.Config, o.ruleOptions(options.Config))
	o.current.Store(&m)
	return o, err
}

// rules makes the kernel agree.
func (o *Opener) rules() netfilter { return *o.current.Load() }

func (o *Opener) ruleOptions(c *config.Config) rules.Options {
	r := RuleOptions(c)
	r.Observe, r.Connections = o.observe, o.follow
	return r
}

// Run serves until ctx ends, or a successor has taken over. It leaves no rule
// behind, whatever it returns: nil after an orderly end, otherwise the error of
// the rules, of a listener, or of the worker.
func (o *Opener) Run(ctx context.Context, asked Asked) error {
	p, err := o.obtain()
	if err != nil {
		return err
	}
	defer o.letGo()
	if o.keys, err = ReadKeys(o.config, nil); err != nil {
		return err
	}
	l, theirs, err := link.Pair()
	if err != nil {
		return err
	}
	o.link = l
	defer l.Close()
	defer theirs.Close()
	opened, err := o.installRules(ctx, p)
	if err != nil {
		return errors.Join(err, o.removeRules())
	}
	w, err := o.startWorker(theirs)
	theirs.Close()
	if err != nil {
		closeAll(opened)
		return errors.Join(err, o.removeRules())
	}
	return errors.Join(o.oversee(ctx, asked, w, opened, p), o.removeRules())
}

// obtain claims the network namespace and opens the admin interface, or has
// both, and all that the predecessor hands over.
func (o *Opener) obtain() (p *predecessor, err error) {
	if o.o.Predecessor == nil {
		if o.claim, err = claim(claimed); err == nil {
			o.windows, err = o.openWindows()
		}
	} else if p, err = o.inherit(o.o.Predecessor); err == nil {
		if o.claim, err = takeClaim(p.claim); err == nil {
			o.windows, err = o.takeWindows(p)
		}
	}
	if err != nil {
		o.letGo()
	}
	return p, err
}

// letGo gives up what obtain has obtained. The admin socket stays where it is
// another process's.
func (o *Opener) letGo() {
	if u, ok := o.windows.admin.(*net.UnixListener); ok && !o.owner {
		u.SetUnlinkOnClose(false)
	}
	o.windows.close()
	if o.claim != nil {
		o.claim.Close()
	}
}

// installRules opens the listening sockets and installs their rules, beside
// those of the predecessor if there is one.
func (o *Opener) installRules(ctx context.Context, p *predecessor) (map[endpoint]*socket, error) {
	o.changing.Lock()
	defer o.changing.Unlock()
	if p != nil {
		o.takeSockets(p)
	}
	opened, err := o.openMissing(ctx, o.config)
	if err != nil {
		return nil, err
	}
	if p == nil {
		err = o.startRules(ctx, static(o.config, opened))
	} else {
		err = o.adopt(ctx, opened, p)
	}
	if err != nil {
		closeAll(opened)
		return nil, fmt.Errorf("install rules: %w", err)
	}
	path, _ := o.rules().Path()
	o.quick = path != rules.IPTables.String()
	if _, none := o.rules().(untouched); !none {
		o.dialMark = RuleOptions(o.config).PinholeMark
	}
	return opened, nil
}

// oversee serves the worker until ctx or the worker ends, or a successor has taken
// over, and ends it.
func (o *Opener) oversee(ctx context.Context, asked Asked, w *worker, opened map[endpoint]*socket, p *predecessor) error {
	served := make(chan error, 1)
	go func() { served <- o.serve() }()
	err := o.startServing(opened, p)
	watching, stopWatching := context.WithCancel(ctx)
	defer stopWatching()
	if o.o.Watch && err == nil {
		o.working.Go(func() { o.watchFiles(watching) })
	}
	var heir *successor
	if err == nil {
		err = o.beginAsking()
	}
	if err == nil {
		o.o.Ready()
		path, why := o.path()
		o.log.Info("ready", "event", "ready", "path", path, "why", why, "netfilter", o.rules().Describe(), "listeners", o.listening())
		heir, err = o.watch(ctx, asked, served)
	}
	stopWatching()
	o.changing.Lock()
	o.stopped = true
	o.stopAsking()
	o.changing.Unlock()
	grace := o.config.Limits.DrainTimeout
	switch {
	case heir != nil:
		o.log.Info("waiting for transfers that only this process can finish", "event", "leaving", "grace", grace)
		w.await(grace + exitTimeout)
	case err == nil:
		o.o.Stopping()
		o.log.Info("stopping", "event", "stopping", "grace", grace)
		o.send(link.Record{Op: link.Stop})
		w.await(grace + exitTimeout)
	default:
		o.o.Stopping()
	}
	o.link.Close()
	if exit := w.end(); err == nil {
		err = exit
	}
	o.working.Wait()
	return err
}

// beginAsking asks authorities for what the first configuration wants.
func (o *Opener) beginAsking() error {
	o.changing.Lock()
	defer o.changing.Unlock()
	return o.askAuthorities()
}

// startServing puts the configuration in force, and has the sessions of the
// predecessor go on.
func (o *Opener) startServing(opened map[endpoint]*socket, p *predecessor) error {
	if p == nil {
		return o.handOver(o.config, o.text, o.keys, o.windows, opened, false)
	}
	o.passKept(p)
	err := o.handOver(o.config, o.text, o.keys, o.windows, opened, true)
	if err == nil {
		err = p.awaitResume()
	}
	if err != nil {
		o.owner = p.hasDied()
		return err
	}
	o.owner = true
	o.send(link.Record{Op: link.Resume})
	return nil
}

// watch obeys signals until ctx ends, or the heir that it returns has taken over;
// the error says why the worker has ended before.
func (o *Opener) watch(ctx context.Context, asked Asked, served <-chan error) (heir *successor, err error) {
	ping := make(<-chan time.Time)
	if o.o.AliveEvery > 0 {
		t := time.NewTicker(o.o.AliveEvery / 2)
		defer t.Stop()
		ping = t.C
	}
	o.alive.Store(time.Now().UnixNano())
	renewal := time.NewTicker(renewEvery)
	defer renewal.Stop()
	for {
		select {
		case heir := <-o.succeeded:
			o.owner = false
			return heir, nil
		case <-ctx.Done():
			return nil, nil
		case err := <-served:
			return nil, fmt.Errorf("the worker has ended: %w", err)
		case <-asked.Reload:
			o.working.Go(func() { o.reload() })
		case <-asked.Reopen:
			o.send(link.Record{Op: link.Reopen})
		case <-renewal.C:
			o.working.Go(o.renew)
		case <-ping:
			if time.Since(time.Unix(0, o.alive.Load())) < o.o.AliveEvery {
				o.o.Alive()
			}
			o.send(link.Record{Op: link.Ping})
		}
	}
}

// removeRules removes every rule, unless they are another process's.
func (o *Opener) removeRules() error {
	if !o.owner {
		return o.rules().Leave()
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := o.rules().Stop(ctx); err != nil {
		return fmt.Errorf("remove rules: %w; `ftpalg cleanup` tries again", err)
	}
	return nil
}

const (
	// stopTimeout bounds the removal of the rules, which may have to wait for
	// another program's lock.
	stopTimeout = 20 * time.Second
	// renewEvery is how often certificates are read again.
	renewEvery = 30 * time.Second
	// exitTimeout is how long the worker may take to exit once its sessions
	// have ended.
	exitTimeout = 5 * time.Second
)

// listening lists the sockets in words.
func (o *Opener) listening() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := []string{}
	for i := range o.config.Listeners {
		l := &o.config.Listeners[i]
		for _, e := range endpoints(l) {
			if o.sockets[e] != nil {
				out = append(out, l.Name+": "+e.String())
			}
		}
	}
	return out
}
