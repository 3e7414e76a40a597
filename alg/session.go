package alg

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/wire"
)

// Outcome says how a session ended. The values are stable: logs use them.
type Outcome string

// The outcomes.
const (
	Closed  Outcome = "closed"  // by its peers
	Idle    Outcome = "idle"    // nothing was said for too long
	Refused Outcome = "refused" // it spoke another protocol, or failed to log in too often
	Failed  Outcome = "error"   // a connection broke
	Drained Outcome = "drained" // the gateway ended
	Killed  Outcome = "killed"  // the operator ended it
)

// session is one pair of control connections and everything born of it. Its
// life: newSession, begin (dial and greet), run (two pumps, one for each
// direction), perhaps park and run again, over. The pump that ends last calls
// pumpsEnded.
type session struct {
	g        *Gateway
	service  *Service
	settings *Settings
	number   uint64
	log      *slog.Logger
	started  time.Time
	direct   bool
	ends     Endpoints
	ctx      context.Context
	cancel   context.CancelCauseFunc
	// finished is called when the session is over.
	finished func()

	client, server half
	// member is the server among several, nil where there is one.
	member *serverMember

	// mu guards the dialogue, what is queued for either side and its order.
	// Nothing is written to a peer while it is held.
	mu       sync.Mutex
	dialogue *dialogue.Dialogue
	// open are the data connections that the session has not released.
	open []*dataConn
	// switchTLS says that TLS with the client begins.
	switchTLS bool
	// tls is how, nil where it cannot; set before the session begins.
	tls *tls.Config
	// serverTLS is the TLS with the server, nil for none.
	serverTLS *tls.Config
	// blocked says that the client has lines which wait for the server.
	blocked bool
	// changed tells those who wait that blocked, closeBy, parking or
	// half.writing has changed.
	changed *sync.Cond
	// closeBy is set once the server's stream has ended.
	closeBy time.Time
	// parking tells the pumps to stop; parked is closed when they have.
	parking bool
	parked  chan struct{}
	// unserved says that the listener has gone while the session was parked.
	unserved bool

	// What others look at without mu.
	spoke        atomic.Int64 // when a peer last spoke, Unix nanoseconds
	transferring atomic.Bool  // a transfer has begun
	commanded    atomic.Bool  // a transfer was asked for
	opaque       atomic.Bool
	halfOver     atomic.Bool // one direction has ended
	hungUp       atomic.Bool // the client's stream has ended
	announced    atomic.Uint64
	refused      atomic.Uint64
	transfers    atomic.Uint64 // that have ended
	carried      atomic.Uint64 // by the running transfer, at the last look
	transfer     atomic.Pointer[runningTransfer]
	user         atomic.Pointer[string]
	lines        lineCounts
	modes        modeSet
	history      history
	data         sessionData
	passed       passedPorts

	idle *time.Timer
	// live says that server and dialogue are set; until then only begin may
	// look at them.
	live    atomic.Bool
	pumps   atomic.Int32 // that run
	ending  sync.Once
	ended   atomic.Bool
	outcome Outcome // written within ending
}

func newSession(g *Gateway, svc *Service, a Arrival) *session {
	s := &session{
		g: g, service: svc, settings: g.settings.Load(), log: g.log,
		started: time.Now(), direct: a.Direct,
		ends: svc.Endpoints(addrPort(a.Conn.RemoteAddr()), a.Reached),
	}
	if a.Client.IsValid() {
		s.ends.Client, s.ends.Balancer, s.ends.Local = a.Client, s.ends.Client, addrPort(a.Conn.LocalAddr())
	}
	longest := s.settings.CommandLine
	c := a.Conn
	if svc.TLS != nil {
		c = &securable{Conn: c}
	}
	s.client = newHalf(c, &wire.CommandSplitter{Max: longest}, longest)
	s.changed = sync.NewCond(&s.mu)
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.data.transferring = s.transferring.Load
	s.spoke.Store(s.started.UnixNano())
	s.history.began = s.started
	return s
}

// addrPort returns the address of a TCP socket, an IPv4-mapped one as IPv4.
func addrPort(a net.Addr) netip.AddrPort {
	t, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := t.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// begin dials the server and runs the session. It does not stay itself, since
// the stack that dialing and logging need would stay with it.
func (s *session) begin() {
	s.prepareClientTLS()
	if s.service.ImplicitTLS {
		if err := s.beginTLS(nil); err != nil {
			defer s.finished()
			defer s.cancel(nil)
			s.noteRejection(RejectTLS)
			s.noteTLSFailed(err)
			s.client.conn.Close()
			return
		}
	}
	if err := s.dial(); err != nil {
		defer s.finished()
		defer s.cancel(nil)
		s.log.Warn("server cannot be reached", "event", "server_unreachable",
			"listener", s.service.Name, "client", s.ends.Client, "server", s.ends.Server, "error", err)
		s.reject(rejection{RejectUnreachable, "421 The FTP server cannot be reached: " + dialErrorText(err) + "."})
		return
	}
	s.log.Info("session begins", "event", "session_begin", "listener", s.service.Name,
		"client", s.ends.Client, "reached", s.ends.Reached, "server", s.ends.Server, "seen", s.ends.Seen)
	s.dialogue = dialogue.New(s.service.PolicyOf(s.ends.Client.Addr(), s.ends.Server.Addr()), s.ends.Client.Addr(), s.ends.Server.Addr())
	s.dialogue.Assume(s.g.learned.of(s.ends.Server))
	if s.service.ImplicitTLS {
		s.dialogue.Secured()
	}
	s.goLive()
	s.g.observer.Began(s.info())
	if s.ended.Load() { // before it was live, so end did not close the server
		s.server.conn.Close()
	}
	s.run()
}

// dial connects to the server, or to one of several.
func (s *session) dial() error {
	if s.service.Servers != nil {
		return s.dialAny()
	}
	return s.dialServer()
}

func (s *session) dialServer() error {
	d := Dial{Session: s.number, Client: plain(s.client.conn), Server: s.ends.Server, Source: s.service.Source.Addr}
	if s.service.Source.Client {
		d.Source = s.ends.Client.Addr()
	}
	if s.ends.Balancer.IsValid() {
		d.Named = s.ends.Client
	}
	c, err := s.connect(d)
	if err != nil {
		return err
	}
	s.server = newHalf(c, &wire.ReplySplitter{Max: replyLine}, replyLine)
	s.ends.Seen = addrPort(c.LocalAddr())
	if header := s.service.Proxy.header(s.ends.Client, s.ends.Reached); header != nil {
		_, err = c.Write(header)
	}
	switch {
	case err != nil:
	case s.service.ServerTLS != nil:
		err = s.secureServer()
	case s.service.Servers != nil:
		err = s.awaitGreeting()
	}
	if err != nil {
		c.Close()
	}
	return err
}

// connect makes the connection within the connect timeout. Where there is one
// server it is the session's context that ends then: one of its own would cost
// every session memory.
func (s *session) connect(d Dial) (Conn, error) {
	if s.service.Servers != nil {
		ctx, cancel := context.WithTimeout(s.ctx, s.settings.ConnectTimeout)
		defer cancel()
		return s.g.kernel.Dial(ctx, d)
	}
	timeout := time.AfterFunc(s.settings.ConnectTimeout, func() { s.cancel(context.DeadlineExceeded) })
	c, err := s.g.kernel.Dial(s.ctx, d)
	if !timeout.Stop() {
		if err == nil {
			c.Close()
		}
		return nil, fmt.Errorf("dial %s: %w", d.Server, context.DeadlineExceeded)
	}
	return c, err
}

// dialErrorText says in few words, without our inner addresses, why a dial
// failed.
func dialErrorText(err error) string {
	var no syscall.Errno
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return "no answer"
	case errors.Is(err, errServerTLS):
		return "TLS with it failed"
	case errors.Is(err, errGreeting):
		return "it serves nobody"
	case errors.As(err, &no):
		return no.Error()
	}
	return "the gateway cannot connect"
}

// never is longer than any process lives.
const never = 1<<63 - 1

// goLive makes a session visible whose two halves and dialogue are set.
func (s *session) goLive() {
	s.history.log = s.log
	s.idle = time.AfterFunc(never, s.watchIdle)
	s.live.Store(true)
}

// run starts a pump for each direction that has not ended.
func (s *session) run() {
	if s.opaque.Load() {
		s.passPorts()
	}
	s.idle.Reset(s.nextLook(s.settings.IdleTimeout))
	var pumps []func()
	if !s.client.over {
		pumps = append(pumps, s.pumpClient)
	}
	if !s.server.over {
		pumps = append(pumps, s.pumpServer)
	}
	s.pumps.Store(int32(len(pumps)))
	for _, pump := range pumps {
		go func() {
			pump()
			if s.pumps.Add(-1) == 0 {
				s.pumpsEnded()
			}
		}()
	}
}

// pumpsEnded goes on when the last pump has stopped: to the end of the
// session, unless it is parked.
func (s *session) pumpsEnded() {
	s.mu.Lock()
	parked := s.parking && !s.ended.Load() && !(s.client.over && s.server.over)
	if s.parking {
		close(s.parked)
	}
	s.mu.Unlock()
	if !parked {
		s.over()
		s.finished()
	}
}

// over is what remains to be done when both directions have ended.
func (s *session) over() {
	s.end(Closed, "")
	s.passed.running.Wait()
	s.idle.Stop()
	s.endTransfer()
	s.releaseAllData()
	if s.member != nil {
		s.member.sessions.Add(-1)
	}
	s.g.observer.Ended(s.info(), s.outcome, time.Since(s.started))
	lasted := time.Since(s.started).Round(time.Millisecond)
	s.g.data.whenCounted(&s.data, func() { s.record(lasted) })
}

// record writes the session's one line at its end.
func (s *session) record(lasted time.Duration) {
	i := s.info()
	s.log.Info("session ends", "event", "session_end", "outcome", s.outcome, "duration", lasted,
		"listener", i.Listener, "client", i.Client, "user", i.User, "reached", i.Reached, "server", i.Server, "seen", i.Seen,
		"modes", s.modes.list(), "announced", i.Announced, "refused", i.Refused, "opaque", s.opaque.Load(),
		"tls", i.TLS.version(), "server_tls", i.ServerTLS.version(),
		"transfers", i.Transfers, "from_client", i.FromClient, "from_server", i.FromServer, "counted", i.Counted)
}

// end closes both connections, once. The final reply, if any, goes to the
// client when that can be done without falling into something else.
func (s *session) end(o Outcome, finalReply string) {
	s.ending.Do(func() {
		s.outcome = o
		s.ended.Store(true)
		s.cancel(nil)
		hangUp := Conn.Close
		if o == Failed {
			hangUp = abort
		}
		if s.live.Load() {
			s.sendFinalReply(finalReply)
			hangUp(s.server.conn)
		}
		hangUp(s.client.conn)
		// A client's pump that waits on changed is woken by the server's
		// pump, which ends with its connection.
	})
}

// sendFinalReply writes a last reply behind what is queued for the client.
func (s *session) sendFinalReply(text string) {
	if text == "" {
		return
	}
	// A client that does not read holds up a pump, and this, no longer.
	s.client.conn.SetWriteDeadline(time.Now().Add(finalReplyTimeout))
	if s.queueFinalReply(text) && s.flush(&s.client) == nil {
		s.client.conn.CloseWrite()
	}
}

func (s *session) queueFinalReply(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dialogue.Opaque() || s.dialogue.MidReply() {
		return false
	}
	s.client.queue([]byte(text + "\r\n"))
	return true
}

// abort closes c so that its peer sees a cut and not an end.
func abort(c Conn) error {
	switch c := c.(type) {
	case aborter:
		return c.Abort()
	case lingerer:
		c.SetLinger(0) // then closing resets (socket(7))
	}
	return c.Close()
}

// noteRefusal counts and logs a line that was kept from the other side.
func (s *session) noteRefusal(v dialogue.Verdict) {
	if v.Reason == dialogue.NoReason {
		return
	}
	s.refused.Add(1)
	s.g.observer.Refused(Refusal{s.number, v.Verb, v.Reason})
	if v.Verb == wire.AUTH && v.Reason == dialogue.NotAllowed {
		s.g.observer.Opaque(s.number, false)
	}
	reply, _, _ := bytes.Cut(v.Answer, []byte("\r\n"))
	s.log.Info("line refused", "event", "refused", "reason", v.Reason, "setting", v.Setting, "reply", string(reply))
}
