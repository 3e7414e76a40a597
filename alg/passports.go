package alg

import (
	"net/netip"
	"sync"
	"time"

	"ftpalg/alg/expect"
)

// A session whose client and server speak TLS with each other cannot be read, so
// what they announce is unknown. Where the operator has told the server which
// ports to take, and which address to announce, those ports can be kept open
// for this one client.

// passedPorts are the ports of one opaque session.
type passedPorts struct {
	// mu is held while they are opened, and while the session is parked, held
	// then.
	mu      sync.Mutex
	held    bool
	begun   sync.Once
	running sync.WaitGroup
	open    map[uint16]*dataConn
}

// passLook is how often it is looked whether a port has been used. A port is open
// for one connection; the server takes another one for the next.
const passLook = 200 * time.Millisecond

// passPorts keeps the ports of a session open that has become opaque, until the
// session ends.
func (s *session) passPorts() {
	if s.service.PassPorts.Size() == 0 {
		return
	}
	s.passed.begun.Do(func() {
		s.passed.running.Go(func() {
			tick := time.NewTicker(passLook)
			defer tick.Stop()
			for {
				s.renewPorts()
				select {
				case <-tick.C:
				case <-s.ctx.Done():
					s.passed.close(s.g.data)
					return
				}
			}
		})
	})
}

// renewPorts opens each port that is not open, or not for much longer. What is
// opened anew takes the place of the older one (Kernel.Open).
func (s *session) renewPorts() {
	p := &s.passed
	if !p.mu.TryLock() {
		return // the session is parked
	}
	defer p.mu.Unlock()
	if p.open == nil {
		p.open = make(map[uint16]*dataConn)
	}
	ports := s.service.PassPorts
	for port := int(ports.Low); port <= int(ports.High) && s.ctx.Err() == nil; port++ {
		if was := p.open[uint16(port)]; was != nil && s.g.data.staysOpen(was, s.settings.PinholeTimeout/2) {
			continue
		}
		s.openPort(uint16(port))
	}
}

func (s *session) openPort(port uint16) {
	d := &dataConn{state: DataOffered, host: clientHost(s.ends.Client.Addr()), session: &s.data}
	d.Expectation = expect.Expectation{
		ID: s.g.data.newID(), Session: s.number, Mode: expect.PASV, From: s.ends.Client.Addr(),
		Reached: netip.AddrPortFrom(s.ends.Reached.Addr(), port), Target: netip.AddrPortFrom(s.ends.Server.Addr(), port),
		Seen: s.ends.Seen.Addr(), Until: time.Now().Add(s.settings.PinholeTimeout),
	}
	was := s.passed.open[port]
	if err := s.g.data.open(s.ctx, d); err != nil {
		if s.ctx.Err() == nil {
			s.log.Warn("data connection cannot be opened", "event", "promise_failed", "mode", d.Mode, "at", d.Target, "error", err)
		}
		return
	}
	if was != nil {
		s.g.data.release(was, EndReplaced)
	}
	s.passed.open[port] = d
}

// staysOpen reports whether no connection has come to d yet, and one may for so
// long.
func (t *dataTable) staysOpen(d *dataConn, atLeast time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return d.state == DataOpen && time.Until(d.Until) > atLeast
}

// hold keeps the ports as they are, until letGo.
func (p *passedPorts) hold() {
	p.mu.Lock()
	p.held = true
}

func (p *passedPorts) letGo() {
	if p.held {
		p.held = false
		p.mu.Unlock()
	}
}

// forget leaves the ports, which are held, to a successor.
func (p *passedPorts) forget() {
	p.open = nil
	p.letGo()
}

// close closes the ports.
func (p *passedPorts) close(t *dataTable) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.open {
		t.release(d, EndClosed)
	}
	p.open = nil
}
