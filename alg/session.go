package alg

import (
	"bytes"
	"context"
	"errors"
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
	Refused Outcome = "refused" // it spoke another protocol
	Failed  Outcome = "error"   // a connection broke
	Drained Outcome = "drained" // the gateway ended
	Killed  Outcome = "killed"  // the operator ended it
)

// session is one pair of control connections and everything born of it. Two
// goroutines serve it, pumpClient and pumpServer; the one that ends last ends
// the session.
type session struct {
	g        *Gateway
	service  *Service
	settings *Settings
	number   uint64
	log      *slog.Logger
	started  time.Time
	straight bool

	ends           Endpoints
	client, server Conn
	ctx            context.Context
	cancel         context.CancelFunc

	// mu guards the dialogue and the order of what is written to the client:
	// the server's lines and our own answers.
	mu       sync.Mutex
	dialogue *dialogue.Dialogue
	promised []promised
	// stalled says that the client has lines which wait for the server;
	// freed tells its pump that they may go.
	stalled bool
	freed   *sync.Cond
	// lingerUntil is set once the server's stream has ended.
	lingerUntil time.Time

	// What others look at without mu.
	spoke        atomic.Int64 // when a peer last spoke, Unix nanoseconds
	transferring atomic.Bool  // a transfer has begun
	commanded    atomic.Bool  // a transfer was asked for
	opaque       atomic.Bool
	halfOver     atomic.Bool // one direction has ended
	announced    atomic.Uint64
	refused      atomic.Uint64
	transfers    atomic.Uint64 // that have ended
	running      atomic.Pointer[running]
	user         atomic.Pointer[string]
	lines        lineCounts
	modes        modeSet
	history      history
	data         sessionData

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
		started: time.Now(), straight: a.Straight, client: a.Conn,
		ends: svc.Endpoints(addrPort(a.Conn.RemoteAddr()), a.Reached),
	}
	s.freed = sync.NewCond(&s.mu)
	s.ctx, s.cancel = context.WithCancel(context.Background())
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

// never is longer than any process lives.
const never = 1<<63 - 1

// begin dials the server and starts the two pumps; ended is called when the
// session is over. It does not stay itself, since the stack that dialing and
// logging need would stay with it.
func (s *session) begin(ended func()) {
	if err := s.dial(); err != nil {
		defer ended()
		defer s.cancel()
		s.log.Warn("server cannot be reached", "event", "server_unreachable",
			"listener", s.service.Name, "client", s.ends.Client, "server", s.ends.Server, "error", err)
		s.turnAway(turning{TurnUnreachable, "421 The FTP server cannot be reached: " + plainly(err) + "."})
		return
	}
	s.history.log = s.log
	s.log.Info("session begins", "event", "session_begin", "listener", s.service.Name,
		"client", s.ends.Client, "reached", s.ends.Reached, "server", s.ends.Server, "seen", s.ends.Seen)
	s.dialogue = dialogue.New(s.service.Policy, s.ends.Client.Addr(), s.ends.Server.Addr())
	s.idle = time.AfterFunc(never, s.watchIdle)
	s.idle.Reset(s.settings.IdleTimeout)
	s.live.Store(true)
	s.g.observer.Began(s.info())
	if s.ended.Load() { // before it was live: its server has nobody to close it
		s.server.Close()
	}
	s.pumps.Store(2)
	pump := func(carry func()) {
		carry()
		if s.pumps.Add(-1) == 0 {
			s.over()
			ended()
		}
	}
	go pump(s.pumpServer)
	go pump(s.pumpClient)
}

// over is what remains to be done when both directions have ended.
func (s *session) over() {
	s.end(Closed, "")
	s.idle.Stop()
	s.endTransfer()
	s.endAllPromises()
	s.g.observer.Ended(s.info(), s.outcome, time.Since(s.started))
	lasted := time.Since(s.started).Round(time.Millisecond)
	s.g.data.counted(&s.data, func() { s.record(lasted) })
}

// record writes the session's one line at its end.
func (s *session) record(lasted time.Duration) {
	i := s.info()
	s.log.Info("session ends", "event", "session_end", "outcome", s.outcome, "duration", lasted,
		"listener", i.Listener, "client", i.Client, "user", i.User, "reached", i.Reached, "server", i.Server, "seen", i.Seen,
		"modes", s.modes.list(), "announced", i.Announced, "refused", i.Refused, "opaque", s.opaque.Load(),
		"transfers", i.Transfers, "from_client", i.FromClient, "from_server", i.FromServer, "counted", i.Counted)
}

func (s *session) dial() error {
	ctx, cancel := context.WithTimeout(s.ctx, s.settings.ConnectTimeout)
	defer cancel()
	d := Dial{Server: s.ends.Server, Source: s.service.Source.Addr}
	if s.service.Source.Client {
		d.Source = s.ends.Client.Addr()
	}
	if s.service.Source.Client && s.ends.Reached == s.ends.Server {
		d.Avoid = s.g.portsOf(d.Source)
	}
	c, err := s.g.kernel.Dial(ctx, d)
	if err != nil {
		return err
	}
	s.server = c
	s.ends.Seen = addrPort(c.LocalAddr())
	return nil
}

// plainly says in few words, without our inner addresses, why a dial failed.
func plainly(err error) string {
	var no syscall.Errno
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, syscall.ETIMEDOUT):
		return "no answer"
	case errors.As(err, &no):
		return no.Error()
	}
	return "the gateway cannot connect"
}

// watchIdle ends the session if nothing was said for the idle timeout and no
// transfer runs; else it looks again when that could be. A transfer is no
// reason to wait for a peer whose other side has gone.
func (s *session) watchIdle() {
	if s.ended.Load() {
		return
	}
	limit := s.settings.IdleTimeout
	if s.opaque.Load() {
		limit = max(limit, opaqueIdle)
	}
	quiet := time.Since(time.Unix(0, s.spoke.Load()))
	switch {
	case s.transferring.Load() && !s.halfOver.Load():
		quiet = 0
	case quiet >= limit:
		s.end(Idle, "421 Nothing was said for too long.")
		return
	}
	s.idle.Reset(limit - quiet)
}

// end closes both connections, once. The farewell, if any, goes to the client
// when that can be done without falling into something else.
func (s *session) end(o Outcome, farewell string) {
	s.ending.Do(func() {
		s.outcome = o
		s.ended.Store(true)
		s.cancel()
		hangUp := Conn.Close
		if o == Failed {
			hangUp = abort
		}
		if s.live.Load() {
			s.bid(farewell)
			hangUp(s.server)
		}
		hangUp(s.client)
		// A client's pump that waits on freed is woken by the server's pump,
		// which ends with its connection.
	})
}

// bid writes a last reply. A pump that is stuck in a write holds mu: then the
// client does not read, and there is nobody to bid farewell to.
func (s *session) bid(farewell string) {
	if farewell == "" || !s.lockSoon() {
		return
	}
	defer s.mu.Unlock()
	if s.dialogue.Opaque() || s.dialogue.MidReply() {
		return
	}
	s.client.SetWriteDeadline(time.Now().Add(farewellTimeout))
	s.client.Write([]byte(farewell + "\r\n"))
	s.client.CloseWrite()
}

// lockSoon takes mu unless it is held for longer than a pump needs that is
// not stuck.
func (s *session) lockSoon() bool {
	const tries, pause = 20, 10 * time.Millisecond
	for range tries {
		if s.mu.TryLock() {
			return true
		}
		time.Sleep(pause)
	}
	return false
}

// abort closes c so that its peer sees a cut and not an end.
func abort(c Conn) error {
	if a, ok := c.(aborter); ok {
		return a.Abort()
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
	s.log.Info("line refused", "event", "refused", "reason", v.Reason, "reply", string(reply))
}

func (s *session) heard() { s.spoke.Store(time.Now().UnixNano()) }
