package alg

import (
	"errors"
	"time"
)

// errParked ends a pump whose session is to be parked.
var errParked = errors.New("parked")

// parkTimeout bounds a write to a peer that does not read while its session is
// to be parked; what could not be written stays queued.
const parkTimeout = time.Second

// park stops both pumps between two reads and reports whether the session is
// at rest then; otherwise it has ended, or its server has not been reached
// yet, or it is under TLS. Nothing is read, written or timed until unpark.
func (s *session) park() bool {
	if !s.live.Load() || s.underTLS() || !s.askToPark() {
		return false
	}
	<-s.parked
	s.idle.Stop()
	if s.ended.Load() || s.client.over && s.server.over {
		return false
	}
	s.passed.hold()
	return true
}

// underTLS reports whether the session can only go on in this process: the
// state of TLS cannot be written down.
func (s *session) underTLS() bool {
	c, ok := s.client.conn.(*securable)
	if !ok || s.serverTLS != nil {
		return s.serverTLS != nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.switchTLS || c.tls.Load() != nil || c.cleared.Load()
}

func (s *session) askToPark() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended.Load() || s.pumps.Load() == 0 {
		return false
	}
	s.parking, s.parked = true, make(chan struct{})
	for _, h := range []*half{&s.client, &s.server} {
		s.interruptRead(h)
		h.conn.SetWriteDeadline(time.Now().Add(parkTimeout))
	}
	s.changed.Broadcast()
	return true
}

// unpark lets a parked session go on.
func (s *session) unpark() {
	s.mu.Lock()
	s.parking, s.blocked = false, false
	for _, h := range []*half{&s.client, &s.server} {
		h.conn.SetDeadline(time.Time{})
	}
	s.client.conn.SetReadDeadline(s.closeBy)
	s.mu.Unlock()
	s.passed.letGo()
	s.run()
}
