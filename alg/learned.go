package alg

import (
	"net/netip"
	"sync"
	"time"

	"ftpalg/alg/dialogue"
)

const (
	// learnedFor is how long what a server has shown is relied on.
	learnedFor = time.Hour
	// mostLearned bounds how many servers are remembered; clients of a
	// transparent listener choose theirs.
	mostLearned = 4096
)

// learned is what servers have shown to know, where the gateway may ask them for
// EPSV or PASV as it likes. Its methods are safe for concurrent use.
type learned struct {
	mu      sync.Mutex
	servers map[netip.AddrPort]learnedServer
}

type learnedServer struct {
	epsv  dialogue.EPSV
	until time.Time
}

func newLearned() *learned { return &learned{servers: make(map[netip.AddrPort]learnedServer)} }

// of returns what is known of a server.
func (l *learned) of(server netip.AddrPort) dialogue.EPSV {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.servers[server]
	if time.Now().After(s.until) {
		delete(l.servers, server)
		return dialogue.EPSVUntried
	}
	return s.epsv
}

// note remembers what a server has shown.
func (l *learned) note(server netip.AddrPort, e dialogue.EPSV) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.servers) >= mostLearned {
		clear(l.servers) // they show it again
	}
	l.servers[server] = learnedServer{e, time.Now().Add(learnedFor)}
}
