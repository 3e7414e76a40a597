package alg

import "time"

const (
	// hungUpIdle is how long a server may say nothing after its client has
	// hung up, unless a transfer runs.
	hungUpIdle = 20 * time.Second
	// hungUpLook is how often such a session is looked at.
	hungUpLook = 5 * time.Second
)

// watchIdle ends the session if nothing was said for too long and no
// transfer runs; else it looks again when that could be. A transfer is no
// reason to wait for a peer whose other side has gone, unless its data flows.
func (s *session) watchIdle() {
	if s.ended.Load() {
		return
	}
	if s.hungUp.Load() && s.dataFlows() {
		s.touch()
	}
	limit := s.idleLimit()
	quiet := time.Since(time.Unix(0, s.spoke.Load()))
	switch {
	case s.transferring.Load() && !s.halfOver.Load() && !s.hungUp.Load():
		quiet = 0
	case quiet >= limit && s.hungUp.Load():
		s.log.Info("the client has hung up and the server does not answer", "event", "server_silent", "silent", quiet.Round(time.Second))
		s.end(Closed, "")
		return
	case quiet >= limit:
		s.end(Idle, "421 Nothing was said for too long.")
		return
	}
	s.idle.Reset(s.nextLook(limit - quiet))
}

// touch notes that a peer has spoken.
func (s *session) touch() { s.spoke.Store(time.Now().UnixNano()) }

// noteHangUp notes that the client's stream has ended: from now on the server
// has less time to answer.
func (s *session) noteHangUp() {
	if !s.hungUp.Swap(true) {
		s.idle.Reset(hungUpLook)
	}
}

// nextLook returns when the session is to be looked at next, if nothing hastens
// it in so long a time.
func (s *session) nextLook(in time.Duration) time.Duration {
	if s.hungUp.Load() {
		return min(in, hungUpLook)
	}
	return in
}

// idleLimit returns how long the session may be silent.
func (s *session) idleLimit() time.Duration {
	switch {
	case s.opaque.Load():
		return max(s.settings.IdleTimeout, opaqueIdle)
	case s.hungUp.Load() && !s.unseenTransfer():
		return min(s.settings.IdleTimeout, hungUpIdle)
	}
	return s.settings.IdleTimeout
}

// dataFlows reports whether the running transfer's data connection has carried
// something since the last look.
func (s *session) dataFlows() bool {
	r := s.transfer.Load()
	if r == nil || r.data == nil {
		return false
	}
	now, _ := s.g.data.carried(r.data)
	carried := now.FromClient + now.FromServer
	return s.carried.Swap(carried) != carried
}

// unseenTransfer reports whether a transfer runs of whose data nothing is
// known: the kernel does not count it, or the gateway did not open it.
func (s *session) unseenTransfer() bool {
	r := s.transfer.Load()
	if r == nil {
		return false
	}
	if r.data == nil {
		return true
	}
	traffic, state := s.g.data.carried(r.data)
	return state == DataConnected && !traffic.Counted
}
