package alg

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Balance says which of several servers a session gets.
type Balance string

// The ways to choose among servers.
const (
	RoundRobin    Balance = "round-robin"    // one after the other
	LeastSessions Balance = "least-sessions" // the one with the fewest
	BySource      Balance = "source"         // always the same for one client
)

// Servers are the servers behind one listener, where it has several. Each
// session gets one of those that work. They are made with NewServers; the
// methods are safe for concurrent use.
type Servers struct {
	balance Balance
	turn    atomic.Uint64

	mu      sync.Mutex
	members []*serverMember // replaced as a whole
}

// serverMember is one server. A reload passes it on.
type serverMember struct {
	address  netip.AddrPort
	sessions atomic.Int64

	mu     sync.Mutex
	failed error // nil while it works
	since  time.Time
}

// ServerInfo describes one of several servers.
type ServerInfo struct {
	Listener string         `json:"listener"`
	Server   netip.AddrPort `json:"server"`
	// Up says that it took a connection and greeted when it was tried last;
	// Error is why it did not, and Since when either began, zero for the start.
	Up    bool      `json:"up"`
	Error string    `json:"error,omitempty"`
	Since time.Time `json:"since,omitzero"`
	// Sessions are those that it has now.
	Sessions int64 `json:"sessions"`
}

// NewServers returns servers that are all taken to work. What the former Servers
// knew of an address is kept; former may be nil.
func NewServers(b Balance, addresses []netip.AddrPort, former *Servers) *Servers {
	s := &Servers{balance: b, members: former.all()}
	s.Replace(addresses)
	return s
}

// Replace puts other addresses in force, for the sessions that begin from now on.
func (s *Servers) Replace(addresses []netip.AddrPort) {
	var next []*serverMember
	for _, a := range addresses {
		m := s.member(a)
		if m == nil {
			m = &serverMember{address: a}
		}
		next = append(next, m)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members = next
}

// all returns the members, none of nil.
func (s *Servers) all() []*serverMember {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.members
}

// member returns the one with the address, nil if there is none.
func (s *Servers) member(a netip.AddrPort) *serverMember {
	for _, m := range s.all() {
		if m.address == a {
			return m
		}
	}
	return nil
}

// take counts a session of the client at a server that is not among the tried:
// one that works, or if there is none one that did not. It returns nil when all
// were tried.
func (s *Servers) take(client netip.Addr, tried []*serverMember) *serverMember {
	if len(tried) == 0 {
		s.turn.Add(1)
	}
	left := slices.DeleteFunc(s.inTurn(), func(m *serverMember) bool { return slices.Contains(tried, m) })
	if working := slices.DeleteFunc(slices.Clone(left), func(m *serverMember) bool { return m.error() != nil }); len(working) > 0 {
		left = working
	}
	if len(left) == 0 {
		return nil
	}
	m := s.choose(client, left)
	m.sessions.Add(1)
	return m
}

// inTurn returns all servers, that whose turn it is in front.
func (s *Servers) inTurn() []*serverMember {
	members := s.all()
	if len(members) == 0 {
		return nil
	}
	first := int((s.turn.Load() - 1) % uint64(len(members)))
	return append(slices.Clone(members[first:]), members[:first]...)
}

// choose picks one of several, which are in turn.
func (s *Servers) choose(client netip.Addr, from []*serverMember) *serverMember {
	switch s.balance {
	case BySource:
		return slices.MaxFunc(from, func(a, b *serverMember) int { return cmp.Compare(weight(client, a.address), weight(client, b.address)) })
	case LeastSessions:
		return slices.MinFunc(from, func(a, b *serverMember) int { return cmp.Compare(a.sessions.Load(), b.sessions.Load()) })
	}
	return from[0]
}

// weight is that of a server for a client, by rendezvous hashing: a server
// that comes or goes moves its own clients only. It is the same after a restart,
// and the same for all addresses of one client.
func weight(client netip.Addr, server netip.AddrPort) uint64 {
	h := fnv.New64a()
	for _, a := range []netip.Addr{clientHost(client), server.Addr()} {
		b := a.As16()
		h.Write(b[:])
	}
	h.Write(binary.BigEndian.AppendUint16(nil, server.Port()))
	v := h.Sum64() // whose last bytes reach the low bits only, so they are mixed
	v = (v ^ v>>33) * 0xff51afd7ed558ccd
	v = (v ^ v>>33) * 0xc4ceb9fe1a85ec53
	return v ^ v>>33
}

// error returns why the server does not work, nil if it does.
func (m *serverMember) error() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failed
}

// note keeps the outcome of a try, and reports whether that is news.
func (m *serverMember) note(err error) (news bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	news = (err == nil) != (m.failed == nil)
	if news {
		m.since = time.Now()
	}
	m.failed = err
	return news
}

// Addresses lists the servers.
func (s *Servers) Addresses() (all []netip.AddrPort) {
	for _, m := range s.all() {
		all = append(all, m.address)
	}
	return all
}

// Infos describes the servers of a listener.
func (s *Servers) Infos(listener string) (all []ServerInfo) {
	for _, m := range s.all() {
		i := ServerInfo{Listener: listener, Server: m.address, Sessions: m.sessions.Load()}
		m.mu.Lock()
		i.Up, i.Since = m.failed == nil, m.since
		if m.failed != nil {
			i.Error = m.failed.Error()
		}
		m.mu.Unlock()
		all = append(all, i)
	}
	return all
}

// Why none of several servers serves.
var (
	errNoServer = errors.New("there is no server")
	errGreeting = errors.New("the server does not greet as one that serves")
)

// dialAny connects to one of several servers: to the next if one cannot be
// reached, does not greet, or sends the client away. The error is that of the last.
func (s *session) dialAny() error {
	var tried []*serverMember
	last := errNoServer
	for s.ctx.Err() == nil {
		m := s.service.Servers.take(s.ends.Client.Addr(), tried)
		if m == nil {
			return last
		}
		tried = append(tried, m)
		s.ends.Server = m.address
		last = s.dialServer()
		// A server that sees the client's address may have something against that
		// one: whether it works for others, only a try of the gateway's own tells.
		if s.ctx.Err() == nil && !s.service.Source.Client {
			s.g.NoteServer(s.service.Name, s.service.Servers, m.address, last)
		}
		if last == nil {
			s.member = m
			return nil
		}
		m.sessions.Add(-1)
		s.g.kernel.End(s.number) // the next Dial begins it again
	}
	return last
}

// NoteServer keeps the outcome of a try of one of a listener's several servers,
// nil for success, and logs it if that is news.
func (g *Gateway) NoteServer(listener string, servers *Servers, server netip.AddrPort, err error) {
	m := servers.member(server)
	if m == nil || !m.note(err) {
		return
	}
	if err != nil {
		g.log.Warn("server is left out until it answers again", "event", "server_down", "listener", listener, "server", server, "error", err)
		return
	}
	g.log.Info("server answers again", "event", "server_up", "listener", listener, "server", server)
}

// awaitGreeting reads the server's greeting, and leaves it to be read by the
// session.
func (s *session) awaitGreeting() error {
	c := s.server.conn
	c.SetReadDeadline(time.Now().Add(s.settings.ConnectTimeout))
	p := newPrologue(c)
	greeting, err := p.greeting()
	if err != nil {
		return fmt.Errorf("%w: %w", errGreeting, err)
	}
	c.SetReadDeadline(time.Time{})
	s.server.in.preload(append(greeting, p.in.unread()...))
	return nil
}

// Greet reads the greeting of a server on a new connection, says goodbye and
// closes it. An error says that the server would serve no session.
func Greet(c Conn, within time.Duration) error {
	defer c.Close()
	c.SetDeadline(time.Now().Add(within))
	if _, err := newPrologue(c).greeting(); err != nil {
		return err
	}
	_, _ = c.Write([]byte("QUIT\r\n")) // it is well without
	return nil
}
