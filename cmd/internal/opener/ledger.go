package opener

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/config"
)

// mostPromises bounds the open promises of one session: a dialogue holds back
// further announcements when 16 await their answer.
const mostPromises = 64

// lowestTarget is the least port that may be opened: below it are the
// services of a host, not its data connections (RFC 2577 section 3).
const lowestTarget = 1024

// ledger is what the worker has begun and was promised. Its methods are safe
// for concurrent use.
type ledger struct {
	mu       sync.Mutex
	sessions map[uint64]*session
	clients  map[netip.Addr][]*session // of each clientHost
	owners   map[expect.ID]*session
	probed   map[netip.AddrPort]bool // servers that are being tried
}

// session is one live session. What does not change was set when it began.
type session struct {
	number   uint64
	listener *config.Listener
	// config is what was in force when it began.
	config                        *config.Config
	client, reached, server, seen netip.AddrPort
	// balancer has made the client's connection, and its data connections; the
	// zero AddrPort for nobody.
	balancer netip.AddrPort
	ctx      context.Context
	cancel   context.CancelFunc
	// promises are those that are open. The ledger's mu guards them.
	promises map[expect.ID]*promise
	// connecting counts the data connections that are being made. The ledger's mu
	// guards it.
	connecting int
}

// promise is one that is open.
type promise struct {
	expect.Expectation
	// ours says that its port is of our ranges.
	ours bool
	// dialed says that the worker has been connected to the target of what it
	// relays.
	dialed bool
}

func newLedger() *ledger {
	return &ledger{sessions: make(map[uint64]*session), clients: make(map[netip.Addr][]*session), owners: make(map[expect.ID]*session), probed: make(map[netip.AddrPort]bool)}
}

// The reasons why the opener refuses what the worker asks for.
var (
	errKnownSession   = errors.New("the session has begun already")
	errUnknownSession = errors.New("there is no such session")
	errSessions       = errors.New("limits.sessions is reached")
	errClientSessions = errors.New("limits.sessions_per_client is reached")
	errShare          = errors.New("limits.promises_per_client is reached")
	errPromises       = errors.New("the session has too many promises")
	errKnownPromise   = errors.New("the promise is open already")
	errUnknownPromise = errors.New("the session has no such promise")
	errNotToDial      = errors.New("the promise is not relayed, or its target was dialed before")
	errMode           = errors.New("no such mode")
	errTargetHost     = errors.New("the target is not a host of the session")
	errTargetPort     = errors.New("the target's port is below lowest_data_port")
	errRange          = errors.New("the promised port is outside of its range")
)

// begin enters a session.
func (l *ledger) begin(s *session) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	host := clientHost(s.client.Addr())
	switch {
	case l.sessions[s.number] != nil:
		return errKnownSession
	case len(l.sessions) >= s.config.Limits.Sessions:
		return errSessions
	case len(l.clients[host]) >= s.config.Limits.SessionsPerClient:
		return errClientSessions
	}
	s.promises = make(map[expect.ID]*promise)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	l.sessions[s.number] = s
	l.clients[host] = append(l.clients[host], s)
	return nil
}

// end removes a session and returns the promises that it leaves.
func (l *ledger) end(number uint64) (left []expect.ID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sessions[number]
	if s == nil {
		return nil
	}
	s.cancel()
	for id := range s.promises {
		left = append(left, id)
		delete(l.owners, id)
	}
	delete(l.sessions, number)
	host := clientHost(s.client.Addr())
	rest := slices.DeleteFunc(l.clients[host], func(other *session) bool { return other == s })
	if l.clients[host] = rest; len(rest) == 0 {
		delete(l.clients, host)
	}
	return left
}

// has reports whether a session is live.
func (l *ledger) has(number uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sessions[number] != nil
}

// beginProbe notes that a server is being tried, and reports whether it was not.
func (l *ledger) beginProbe(server netip.AddrPort) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.probed[server] {
		return false
	}
	l.probed[server] = true
	return true
}

func (l *ledger) endProbe(server netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.probed, server)
}

// clientPorts returns the ports from which live sessions of a client come.
func (l *ledger) clientPorts(client netip.Addr) (ports []uint16) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.clients[clientHost(client)] {
		if s.client.Addr() == client {
			ports = append(ports, s.client.Port())
		}
	}
	return ports
}

// promise checks what the worker asks for and enters it. It returns what the
// kernel is to admit, but for its deadline.
func (l *ledger) promise(a asked) (p *promise, of *session, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sessions[a.session]
	switch {
	case s == nil || !s.seen.IsValid():
		return nil, nil, errUnknownSession
	case l.owners[a.id] != nil:
		return nil, nil, errKnownPromise
	case len(s.promises) >= mostPromises:
		return nil, nil, errPromises
	}
	e, ours, err := s.expectation(a)
	if err != nil {
		return nil, nil, err
	}
	if ours && l.held(s.client.Addr()) >= s.config.Limits.PromisesPerClient {
		return nil, nil, errShare
	}
	p = &promise{Expectation: e, ours: ours}
	s.promises[a.id] = p
	l.owners[a.id] = s
	return p, s, nil
}

// dialed notes that the worker connects to the target of a relayed promise,
// which it may do once.
func (l *ledger) dialed(number uint64, id expect.ID) (p *promise, of *session, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.owners[id]
	if s == nil || s.number != number {
		return nil, nil, errUnknownPromise
	}
	p = s.promises[id]
	if !p.Relayed || p.dialed || !p.Target.IsValid() {
		return nil, nil, errNotToDial
	}
	p.dialed = true
	return p, s, nil
}

// beginConnecting notes that the worker is connected to a host of a session that
// waits for its data connection.
func (l *ledger) beginConnecting(number uint64) (*session, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sessions[number]
	switch {
	case s == nil || !s.seen.IsValid():
		return nil, errUnknownSession
	case s.connecting >= mostPromises:
		return nil, errPromises
	}
	s.connecting++
	return s, nil
}

func (l *ledger) endConnecting(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.connecting--
}

// held returns how many ports of our ranges are promised for a client. The caller holds mu.
func (l *ledger) held(client netip.Addr) (n int) {
	for _, s := range l.clients[clientHost(client)] {
		for _, p := range s.promises {
			if p.ours {
				n++
			}
		}
	}
	return n
}

// withdraw removes a promise, and reports whether it was there.
func (l *ledger) withdraw(id expect.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.owners[id]
	if s == nil {
		return false
	}
	delete(s.promises, id)
	delete(l.owners, id)
	return true
}

// connected notes where the server sees the session come from.
func (l *ledger) connected(s *session, seen netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.seen = seen
}

// clientHost is what counts as one client: an IPv6 host has a whole /64 to
// choose its addresses from (RFC 4291 section 2.5.1).
func clientHost(a netip.Addr) netip.Addr {
	if a.Is4() {
		return a
	}
	return netip.PrefixFrom(a.WithZone(""), 64).Masked().Addr()
}

// comes is the host whose connections are the client's.
func (s *session) comes() netip.Addr {
	if s.balancer.IsValid() {
		return s.balancer.Addr()
	}
	return s.client.Addr()
}
