package alg

import (
	"errors"
	"io"
	"time"
)

// interruptRead ends the read of a pump with os.ErrDeadlineExceeded.
func (s *session) interruptRead(h *half) { h.conn.SetReadDeadline(time.Unix(1, 0)) }

// copyRaw carries an opaque stream to its end, beginning with what is left in
// the buffer.
func (s *session) copyRaw(from, to *half, read func() error) error {
	for {
		s.mu.Lock()
		b, _ := from.in.take(len(from.in.unread()))
		to.queue(b)
		s.mu.Unlock()
		if err := s.flush(to); err != nil {
			return err
		}
		if err := read(); err != nil {
			return err
		}
	}
}

// finish ends one direction: an orderly end is passed on as such, anything
// else but parking ends the session.
func (s *session) finish(err error, from, to *half) {
	switch {
	case s.ended.Load(), errors.Is(err, errParked):
	case errors.Is(err, io.EOF):
		if s.passEnd(from) {
			to.conn.CloseWrite()
		} // else both directions have ended, and both connections are closed next
	case errors.Is(err, errClientStayed):
		s.end(Closed, "")
	case errors.Is(err, errRefused):
		s.end(Refused, "")
	case errors.Is(err, errHandshake):
		s.noteTLSFailed(err)
		s.end(Refused, "")
	case errors.Is(err, errBanned):
		s.end(Refused, "421 Too many failed logins from your address, try again later.")
	default:
		s.log.Info("connection broke", "event", "connection_broke", "error", err)
		s.end(Failed, "")
	}
}

// passEnd notes that the stream of this side has ended, and reports whether
// the other side's has not.
func (s *session) passEnd(h *half) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.over = true
	return !s.halfOver.Swap(true)
}
