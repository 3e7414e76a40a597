package alg

import (
	"errors"
	"net/netip"
	"sort"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rates bound what one client may do in a minute; 0 means no bound. As many at
// once are allowed.
type Rates struct {
	Connections, FailedLogins, Promises int
	// Ban is how long a client is turned away after too many failed logins.
	Ban time.Duration
}

// Ban is a client that is turned away for a while.
type Ban struct {
	// Client is its address; of IPv6, the first of its /64.
	Client netip.Addr `json:"client"`
	Until  time.Time  `json:"until"`
}

// errRate says that a client has asked for too many data connections.
var errRate = errors.New("the client asks for too many data connections")

// mostRated bounds the clients that are remembered. A client that is forgotten
// begins anew.
const mostRated = 1 << 16

// rateKind says what is counted.
type rateKind uint8

const (
	rateConnections rateKind = iota
	rateLogins
	ratePromises
	rateKinds
)

// clientRates is what is remembered of one client.
type clientRates struct {
	limiters [rateKinds]*rate.Limiter
	banned   time.Time // until then
	seen     time.Time // last
}

// rateTable counts what clients do. Its methods are safe for concurrent use.
type rateTable struct {
	mu      sync.Mutex
	clients map[netip.Addr]*clientRates
	swept   time.Time
}

func newRateTable() *rateTable { return &rateTable{clients: make(map[netip.Addr]*clientRates)} }

// allow counts something of a client, and reports whether it may be: at most so
// many a minute.
func (t *rateTable) allow(host netip.Addr, kind rateKind, perMinute int) bool {
	if perMinute == 0 {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.of(host)
	limit := rate.Every(time.Minute / time.Duration(perMinute))
	if l := c.limiters[kind]; l == nil {
		c.limiters[kind] = rate.NewLimiter(limit, perMinute)
	} else if l.Limit() != limit {
		l.SetLimit(limit)
		l.SetBurst(perMinute)
	}
	return c.limiters[kind].AllowN(time.Now(), 1)
}

// of returns what is remembered of a client. The caller holds mu.
func (t *rateTable) of(host netip.Addr) *clientRates {
	now := time.Now()
	c := t.clients[host]
	if c == nil {
		t.sweep(now)
		c = new(clientRates)
		t.clients[host] = c
	}
	c.seen = now
	return c
}

// sweep forgets, once a minute, the clients whose limiters are full again. If
// there are too many even so, it forgets any. The caller holds mu.
func (t *rateTable) sweep(now time.Time) {
	if now.Sub(t.swept) >= time.Minute {
		t.swept = now
		for host, c := range t.clients {
			if now.Sub(c.seen) > time.Minute && !now.Before(c.banned) {
				delete(t.clients, host)
			}
		}
	}
	for host := range t.clients {
		if len(t.clients) < mostRated {
			return
		}
		delete(t.clients, host)
	}
}

// ban turns a client away until then.
func (t *rateTable) ban(host netip.Addr, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.of(host).banned = until
}

// banned reports whether a client is turned away.
func (t *rateTable) banned(host netip.Addr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.clients[host]
	return c != nil && time.Now().Before(c.banned)
}

// lift ends a ban, and reports whether there was one.
func (t *rateTable) lift(host netip.Addr) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.clients[host]
	if c == nil || !time.Now().Before(c.banned) {
		return false
	}
	delete(t.clients, host)
	return true
}

// bans lists those that are turned away, by address.
func (t *rateTable) bans() []Ban {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := []Ban{}
	for host, c := range t.clients {
		if time.Now().Before(c.banned) {
			all = append(all, Ban{host, c.banned})
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Client.Less(all[j].Client) })
	return all
}

// Bans lists the clients that are turned away after too many failed logins.
func (g *Gateway) Bans() []Ban { return g.rates.bans() }

// LiftBan ends the ban of a client, and reports whether there was one.
func (g *Gateway) LiftBan(client netip.Addr) bool { return g.rates.lift(clientHost(client.Unmap())) }

// noteFailedLogin counts a login that the server has refused. It reports whether
// the client is turned away from now on.
func (s *session) noteFailedLogin() bool {
	host := clientHost(s.ends.Client.Addr())
	r := s.settings.Rates
	if s.g.rates.allow(host, rateLogins, r.FailedLogins) {
		return false
	}
	until := time.Now().Add(r.Ban)
	s.g.rates.ban(host, until)
	s.log.Warn("too many failed logins: the client is turned away", "event", "banned", "client", s.ends.Client.Addr(), "until", until)
	return true
}
