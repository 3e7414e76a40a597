package alg

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sort"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ftpalg/alg/expect"
)

// Gateway serves control connections. It is made with New; its methods are
// safe for concurrent use.
type Gateway struct {
	kernel   Kernel
	log      *slog.Logger
	observer Observer
	settings atomic.Pointer[Settings]
	data     *dataTable
	rates    *rateTable
	learned  *learned

	rejecting atomic.Int32
	awaited   atomic.Int32 // connections whose header is awaited
	rejected  atomic.Uint64

	mu       sync.Mutex
	draining bool
	closed   bool // to new sessions, see TakeSessions
	next     uint64
	sessions map[uint64]*session
	ended    Counters           // of the sessions that have ended
	clients  map[netip.Addr]int // sessions of each clientHost
	parked   []*session         // at rest, see Park
	running  sync.WaitGroup     // one for each session
}

// New returns a Gateway that serves nothing yet.
func New(o Options) *Gateway {
	g := &Gateway{
		kernel:   o.Kernel,
		log:      o.Log,
		observer: o.Observer.withDefaults(),
		sessions: make(map[uint64]*session),
		clients:  make(map[netip.Addr]int),
		rates:    newRateTable(),
		learned:  newLearned(),
	}
	if g.log == nil {
		g.log = slog.New(slog.DiscardHandler)
	}
	g.data = newDataTable(o.Kernel, &g.observer)
	g.data.readLowWater = o.ReadLowWater
	g.Configure(o.Settings)
	return g
}

// Configure puts new settings in force for the sessions that begin from now
// on.
func (g *Gateway) Configure(s Settings) { g.settings.Store(&s) }

// Serve accepts control connections from a and serves each as service says at
// that moment, until ctx ends or a fails. The sessions go on when it returns.
// It closes a.
func (g *Gateway) Serve(ctx context.Context, service func() Service, a Acceptor) error {
	stop := context.AfterFunc(ctx, func() { a.Close() })
	defer stop()
	defer a.Close()
	var pause time.Duration
	for {
		arrival, err := a.Accept()
		switch {
		case err == nil:
			// Even when ctx has ended: the client is connected.
			pause = 0
			svc := service()
			g.arrive(&svc, arrival)
		case ctx.Err() != nil:
			return nil
		case isTemporary(err):
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			g.log.Warn("cannot accept a connection, trying again",
				"event", "accept_retry", "listener", a.Addr(), "error", err, "pause", pause)
			if !sleep(ctx, pause) {
				return nil
			}
		default:
			return fmt.Errorf("accept on %s: %w", a.Addr(), err)
		}
	}
}

// isTemporary reports whether accepting may succeed later: accept(2) names these
// as conditions of the moment.
func isTemporary(err error) bool {
	for _, e := range []syscall.Errno{syscall.EMFILE, syscall.ENFILE, syscall.ECONNABORTED, syscall.ENOBUFS, syscall.ENOMEM, syscall.EPROTO} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// arrive takes a connection, at once or when a balancer has said whose it is.
func (g *Gateway) arrive(svc *Service, a Arrival) {
	if svc.Proxy.accepts(addrPort(a.Conn.RemoteAddr()).Addr()) {
		g.arriveBehind(svc, a)
		return
	}
	g.admitArrival(svc, a)
}

// admitArrival admits a connection as a session, or rejects it. Either happens in
// the session's own goroutine.
func (g *Gateway) admitArrival(svc *Service, a Arrival) {
	s := newSession(g, svc, a)
	refusal := g.admit(s)
	if refusal.reply == "" {
		go s.begin()
		return
	}
	if g.rejecting.Add(1) > int32(cmp.Or(s.settings.Rejections, maxRejections)) {
		g.rejecting.Add(-1)
		s.noteRejection(refusal.why)
		a.Conn.Close()
		return
	}
	g.running.Go(func() {
		defer g.rejecting.Add(-1)
		s.reject(refusal)
	})
}

// maxRejections is the default of Settings.Rejections.
const maxRejections = 256

// rejection is why a connection is rejected, and the reply that says so.
type rejection struct {
	why   Rejection
	reply string
}

// TakeSessions says whether new sessions are taken, as they are to begin with;
// otherwise a client gets 421. Those that are open go on.
func (g *Gateway) TakeSessions(yes bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = !yes
}

// TakesSessions reports whether new sessions are taken.
func (g *Gateway) TakesSessions() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.closed
}

// admit enters s into the table, unless a limit forbids it; then it returns
// the reason.
func (g *Gateway) admit(s *session) (refusal rejection) {
	g.mu.Lock()
	defer g.mu.Unlock()
	host := clientHost(s.ends.Client.Addr())
	switch {
	case g.draining:
		return rejection{RejectDraining, "421 The gateway is shutting down."}
	case g.closed:
		return rejection{RejectDraining, "421 The gateway takes no new sessions, try again later."}
	case s.direct:
		return rejection{RejectDirect, "421 This is a gateway; connect to the FTP server itself."}
	case g.rates.banned(host):
		return rejection{RejectBanned, "421 Too many failed logins from your address, try again later."}
	case !g.rates.allow(host, rateConnections, s.settings.Rates.Connections):
		return rejection{RejectRate, "421 Too many connections from your address, try again later."}
	case len(g.sessions) >= s.settings.Sessions:
		return rejection{RejectLimit, "421 Too many sessions, try again later."}
	case g.clients[host] >= s.settings.SessionsPerClient:
		return rejection{RejectClientLimit, "421 Too many sessions from your address, try again later."}
	}
	g.next++
	s.number = g.next
	g.enter(s)
	return rejection{}
}

// enter enters a session that has a number into the table, until it is
// finished. The caller holds mu.
func (g *Gateway) enter(s *session) {
	g.running.Add(1)
	s.finished = func() {
		g.kernel.End(s.number)
		g.remove(s)
		g.running.Done()
	}
	s.log = g.log.With("session", s.number)
	g.sessions[s.number] = s
	g.clients[clientHost(s.ends.Client.Addr())]++
}

// clientHost is what counts as one client: an IPv6 host has a whole /64 to
// choose its addresses from (RFC 4291 section 2.5.1).
func clientHost(a netip.Addr) netip.Addr {
	if a.Is4() {
		return a
	}
	return netip.PrefixFrom(a.WithZone(""), 64).Masked().Addr()
}

func (g *Gateway) remove(s *session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sessions, s.number)
	g.ended.addSession(s)
	host := clientHost(s.ends.Client.Addr())
	if g.clients[host]--; g.clients[host] == 0 {
		delete(g.clients, host)
	}
}

// all returns the sessions, oldest first.
func (g *Gateway) all() []*session {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make([]*session, 0, len(g.sessions))
	for _, s := range g.sessions {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].number < out[j].number })
	return out
}

// Sessions describes the sessions that are open, oldest first.
func (g *Gateway) Sessions() []SessionInfo {
	all := g.all()
	out := make([]SessionInfo, len(all))
	for i, s := range all {
		out[i] = s.info()
	}
	return out
}

// Pinholes describes what the kernel admits, oldest first.
func (g *Gateway) Pinholes() []expect.Expectation { return g.data.pinholes() }

// Drain says 421 to every session as soon as no transfer of it runs, and
// returns when all have ended, and what they relay. Call it when every Serve has returned. When ctx ends, so do
// those that are left. Every transfer has been reported then.
func (g *Gateway) Drain(ctx context.Context) {
	defer g.data.reportAll()
	g.mu.Lock()
	g.draining = true
	g.mu.Unlock()
	done := make(chan struct{})
	go func() {
		g.running.Wait()
		g.data.relays.Wait() // what a server has sent may not have reached its client
		close(done)
	}()
	const lookAgain = 50 * time.Millisecond
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		g.dismiss(ctx.Err() != nil)
		select {
		case <-done:
			return
		case <-tick.C:
		}
	}
}

// dismiss ends the sessions that have no transfer, or all. They end side by
// side: where a client does not read, its final reply takes a while to give up.
func (g *Gateway) dismiss(all bool) {
	var ending sync.WaitGroup
	for _, s := range g.all() {
		if all || !s.commanded.Load() {
			ending.Go(func() { s.end(Drained, "421 The gateway is shutting down.") })
		}
	}
	ending.Wait()
	if all {
		g.data.cutAll()
	}
}

// reject says why and closes.
func (s *session) reject(r rejection) {
	s.noteRejection(r.why)
	s.g.log.Info("connection rejected", "event", "turned_away",
		"listener", s.service.Name, "client", s.ends.Client, "reply", r.reply)
	c := s.client.conn
	c.SetDeadline(time.Now().Add(finalReplyTimeout))
	if _, err := c.Write([]byte(r.reply + "\r\n")); err == nil {
		c.CloseWrite()
		// What the client has sent must be read, or closing would reset the
		// connection and take the reply with it (RFC 1122 section 4.2.2.13).
		discard(c)
	}
	c.Close()
}

func (s *session) noteRejection(why Rejection) {
	s.g.rejected.Add(1)
	s.g.observer.Rejected(s.service.Name, s.ends.Client, why)
}

// discard reads c until its end or deadline, a bounded amount.
func discard(c net.Conn) {
	buf := make([]byte, 512)
	for range 64 {
		if _, err := c.Read(buf); err != nil {
			return
		}
	}
}
