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
	"ftpalg/cmd/internal/admin"
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
	// Ready is called once the worker serves and its rules are in place,
	// Stopping when the end begins, and Alive every half AliveEvery while both
	// processes answer, unless that is 0.
	Ready, Stopping, Alive func()
	AliveEvery             time.Duration
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
	rules     netfilter
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
	reloads  atomic.Int32   // that wait or are at work
	alive    atomic.Int64   // when the worker last answered a Ping, Unix nanoseconds

	// changing is held while start, reload and stop are at work, which may wait
	// for the kernel. Only they change what mu guards, but for failed sockets.
	changing sync.Mutex
	stopped  bool
	// lastSocket is the number of the last socket that was opened.
	lastSocket uint32
	// keys are in force; keysError is why the files could last not be used.
	keys      map[string]Keys
	keysError string
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
	}
	r := RuleOptions(options.Config)
	r.Observe, r.Connections = o.observe, o.follow
	var err error
	o.rules, err = prepare(options.Config, r)
	return o, err
}

// Run serves until ctx ends. It leaves no rule behind, whatever it returns: nil
// after an orderly end, otherwise the error of the rules, of a listener, or of
// the worker.
func (o *Opener) Run(ctx context.Context, asked Asked) error {
	release, err := claim(claimed)
	if err != nil {
		return err
	}
	defer release()
	if o.keys, err = ReadKeys(o.config); err != nil {
		return err
	}
	l, theirs, err := link.Pair()
	if err != nil {
		return err
	}
	o.link = l
	defer l.Close()
	defer theirs.Close()
	windows, err := o.openWindows()
	if err != nil {
		return err
	}
	defer windows.close()
	opened, err := o.installRules(ctx)
	if err != nil {
		return errors.Join(err, o.removeRules())
	}
	w, err := o.startWorker(theirs)
	theirs.Close()
	if err != nil {
		closeAll(opened)
		return errors.Join(err, o.removeRules())
	}
	return errors.Join(o.oversee(ctx, asked, w, windows, opened), o.removeRules())
}

// installRules opens the listening sockets and installs their rules.
func (o *Opener) installRules(ctx context.Context) (map[endpoint]*socket, error) {
	o.changing.Lock()
	defer o.changing.Unlock()
	opened, err := o.openMissing(ctx, o.config)
	if err != nil {
		return nil, err
	}
	if err := o.startRules(ctx, static(o.config, opened)); err != nil {
		closeAll(opened)
		return nil, fmt.Errorf("install rules: %w", err)
	}
	path, _ := o.rules.Path()
	o.quick = path != rules.IPTables.String()
	if _, none := o.rules.(untouched); !none {
		o.dialMark = RuleOptions(o.config).PinholeMark
	}
	return opened, nil
}

// oversee serves the worker until ctx or the worker ends, and ends it.
func (o *Opener) oversee(ctx context.Context, asked Asked, w *worker, windows windows, opened map[endpoint]*socket) error {
	served := make(chan error, 1)
	go func() { served <- o.serve() }()
	err := o.handOver(o.config, o.text, o.keys, windows, opened)
	if err == nil {
		o.o.Ready()
		path, why := o.path()
		o.log.Info("ready", "event", "ready", "path", path, "why", why, "netfilter", o.rules.Describe(), "listeners", o.listening())
		err = o.watch(ctx, asked, served)
	}
	o.o.Stopping()
	o.changing.Lock()
	o.stopped = true
	o.changing.Unlock()
	if err == nil {
		grace := o.config.Limits.DrainTimeout
		o.log.Info("stopping", "event", "stopping", "grace", grace)
		o.send(link.Record{Op: link.Stop})
		w.await(grace + exitTimeout)
	}
	o.link.Close()
	if exit := w.end(); err == nil {
		err = exit
	}
	o.working.Wait()
	return err
}

// watch obeys signals until ctx ends; the error says why the worker has ended
// before.
func (o *Opener) watch(ctx context.Context, asked Asked, served <-chan error) error {
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
		case <-ctx.Done():
			return nil
		case err := <-served:
			return fmt.Errorf("the worker has ended: %w", err)
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

// removeRules removes every rule.
func (o *Opener) removeRules() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := o.rules.Stop(ctx); err != nil {
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

// windows are the listening sockets of the admin interface.
type windows struct {
	admin net.Listener
	http  net.Listener // nil if there is none
	token string
}

// openWindows opens the admin socket, and admin.http where it is set.
func (o *Opener) openWindows() (w windows, err error) {
	a := &o.config.Admin
	if w.admin, err = admin.Listen(a.Socket); err != nil {
		return w, err
	}
	if !a.HTTP.IsValid() {
		return w, nil
	}
	token, err := a.ReadToken()
	if err == nil {
		w.token = token.Reveal()
		w.http, err = net.Listen("tcp", a.HTTP.String())
	}
	if err != nil {
		w.close()
		return w, fmt.Errorf("admin.http: %w", err)
	}
	return w, nil
}

// close closes the opener's own descriptors, and removes the admin socket.
func (w windows) close() {
	w.admin.Close()
	if w.http != nil {
		w.http.Close()
	}
}

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
