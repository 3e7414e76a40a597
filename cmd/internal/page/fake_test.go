package page

import (
	"fmt"
	"ftpalg/alg"
	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/api"
	"math"
	"net/netip"
	"sync"
	"time"
)

// lively is a gateway with something going on, and counts how often it is
// asked.
type lively struct {
	mu      sync.Mutex
	asked   int
	began   time.Time
	meter   *Meter
	count   int // sessions beside the named ones
	missing []string
}

func newLively(count int) *lively {
	l := &lively{began: time.Now().Add(-26*time.Hour - 12*time.Minute), meter: NewMeter(), count: count}
	l.meter.began = time.Now().Add(-steps * step)
	for i := range steps {
		from := l.meter.began.Add(time.Duration(i) * step)
		l.meter.Carry(from, from.Add(step), uint64(9e6*(1.3+math.Sin(float64(i)/9)+.3*math.Sin(float64(i)*1.7))))
		for range int(4 + 3*math.Sin(float64(i)/23) + 2*math.Sin(float64(i)*2.1)) {
			l.meter.Finish(from)
		}
	}
	return l
}

func (l *lively) set(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

func (l *lively) times() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

// Snapshot is the gateway as it was asked for the nth time: session 1 grows by
// a million bytes each time.
func (l *lively) Snapshot() Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	now := time.Now()
	l.meter.Carry(now.Add(-time.Second), now, 14e6)
	l.meter.Finish(now)
	s := Snapshot{
		Taken: now, Status: l.status(),
		Sessions: []api.Session{{Session: 1, Listener: "legacy", Client: endpoint("192.0.2.7:40112"), Server: endpoint("198.18.1.20:21"), State: "readable", Idle: .4, Transferring: true, Traffic: alg.Traffic{FromServer: uint64(l.asked) * 1e6}}},
		Pinholes: []api.Pinhole{{Session: 1, Mode: "EPSV", From: netip.MustParseAddr("192.0.2.7"), Reached: endpoint("203.0.113.1:50017"), Target: endpoint("198.18.1.20:23411"), State: "promised", Expires: now.Add(58 * time.Second)}},
		Refusals: []api.Refusal{{Reason: "PORT to another host", Count: 3}, {Reason: "no data port free"}, {Reason: "too many sessions from one address", Count: 41}},
		Traffic:  l.meter.Traffic(now),
	}
	for i := range l.count {
		s.Sessions = append(s.Sessions, someSession(i))
		if i%5 == 0 {
			s.Pinholes = append(s.Pinholes, somePinhole(i, now))
		}
	}
	return s
}

// status is how the gateway is; the caller holds mu.
func (l *lively) status() api.Status {
	return api.Status{
		Version: "1.0.0", Started: l.began, Ready: len(l.missing) == 0, Missing: l.missing,
		Path: "conntrack", Why: "the probe's expectation let its connection through",
		Listeners: []string{"legacy: 203.0.113.1:21", "legacy: [2001:db8::1]:21", "lan: tproxy on lan, port 21"},
		Servers: []api.Server{
			{Listener: "legacy", Server: endpoint("198.18.1.20:21"), Up: true, Sessions: 3},
			{Listener: "legacy", Server: endpoint("198.18.1.21:21"), Error: "dial 198.18.1.21:21: connect: connection refused"},
		},
		Ports: alg.Ports{
			Passive: nat.Level{Total: 1000, Leased: 37 + l.count/50, Resting: 112}, Active: nat.Level{Total: 1000, Leased: 4, Resting: 9},
		},
	}
}

func endpoint(text string) netip.AddrPort { return netip.MustParseAddrPort(text) }

func someSession(i int) api.Session {
	client := fmt.Sprintf("198.51.100.%d:%d", i%250+1, 30000+i%30000)
	server := fmt.Sprintf("198.18.1.%d:21", i%9+10)
	if i%4 == 3 {
		client, server = fmt.Sprintf("[2001:db8:7:%x::%x]:%d", i%7, i%4096, 30000+i%30000), "[2001:db8:1::20]:21"
	}
	var tls *alg.TLSInfo
	if i%5 == 1 {
		tls = &alg.TLSInfo{Version: "TLS 1.3", Cipher: "TLS_AES_128_GCM_SHA256"}
	}
	return api.Session{
		TLS: tls, Session: uint64(i + 2), Listener: []string{"legacy", "lan"}[i%2], Client: endpoint(client), Server: endpoint(server),
		State: []string{"readable", "readable", "opaque", "readable", "connecting"}[i%5],
		Idle:  float64(i*37%900) + .5, Transferring: i%6 == 0, Traffic: alg.Traffic{FromClient: uint64(i) * uint64(i) * 73_123},
	}
}

func somePinhole(i int, now time.Time) api.Pinhole {
	return api.Pinhole{
		Session: uint64(i + 2), Mode: []string{"PASV", "EPSV", "PORT", "EPRT"}[i/5%4], From: netip.AddrFrom4([4]byte{198, 51, 100, byte(i%250 + 1)}),
		Reached: netip.AddrPortFrom(netip.MustParseAddr("203.0.113.1"), uint16(50000+i%1000)), Target: netip.AddrPortFrom(netip.MustParseAddr("198.18.1.20"), uint16(20000+i%20000)),
		State: []string{"promised", "used"}[i/5%2], Expires: now.Add(time.Duration(i%60) * time.Second),
	}
}
