package alg

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/wire"
)

// iac is the telnet escape (RFC 854); urgent data, if any, is near one.
const iac = 0xFF

// errBanned ends a session whose client has failed to log in too often.
var errBanned = errors.New("too many failed logins")

// errRefused ends a session whose client does not speak FTP.
var errRefused = errors.New("not FTP")

// progress is how far the client's lines could be taken.
type progress uint8

const (
	oneTaken     progress = iota // a line was taken, there may be another
	needMore                     // no whole line is left
	mustWait                     // what is left waits for the server
	turnedOpaque                 // nothing may be read any more
	mustSecure                   // TLS begins
)

// pumpClient carries the client's stream to the server until it ends.
func (s *session) pumpClient() {
	var err error
	for err == nil {
		var state progress
		if state, err = s.commands(); err == nil {
			err = s.advance(state)
		}
	}
	if errors.Is(err, io.EOF) {
		s.noteHangUp()
	}
	s.finish(err, &s.client, &s.server)
}

// commands takes the client's lines as far as they are whole and may go.
func (s *session) commands() (progress, error) {
	for {
		announced, line, state, err := s.command()
		if announced != nil {
			err = s.announceActive(announced, line)
		}
		if state != oneTaken || err != nil {
			return state, errors.Join(s.flush(&s.server), s.flush(&s.client), err)
		}
	}
}

// command takes one line of the client, and carries out the verdict on it
// unless it announces a data connection.
func (s *session) command() (announced *dialogue.Announcement, line wire.Line, state progress, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.dialogue.Opaque():
		return nil, line, turnedOpaque, nil
	case s.switchTLS:
		return nil, line, mustSecure, nil
	case len(s.client.in.unread()) == 0:
		return nil, line, needMore, nil
	case s.dialogue.Waiting():
		s.blocked = true
		return nil, line, mustWait, nil
	}
	line, n := s.client.lines.Next(s.client.in.unread())
	// Before a line may stand the rest of an over-long one.
	s.client.in.take(n - len(line.Bytes))
	if line.Bytes == nil {
		return nil, line, needMore, nil
	}
	_, urgent := s.client.in.take(len(line.Bytes))
	v := s.judgeCommand(line)
	switch v.Action {
	case dialogue.Announce:
		return v.Announcement, line, oneTaken, nil
	case dialogue.Pass:
		s.history.command(line, v)
		if v.Line != nil {
			s.server.queue(v.Line)
		} else {
			s.server.queueUrgent(line.Bytes, urgent)
		}
	default:
		s.history.command(line, v)
		s.noteRefusal(v)
	}
	s.answer(v.Answer)
	s.prepareTLS(v)
	if v.Action == dialogue.Close {
		err = errRefused
	}
	return nil, line, oneTaken, err
}

// judgeCommand returns the verdict on a line of the client. The caller holds
// mu.
func (s *session) judgeCommand(line wire.Line) dialogue.Verdict {
	v := s.dialogue.Command(line)
	s.lines.client.Add(1)
	if v.Verb == wire.USER {
		user := s.dialogue.User()
		s.user.Store(&user)
	}
	s.commanded.Store(s.dialogue.Commanded())
	return v
}

// announceActive opens the data connection that a PORT or EPRT announces and
// sends the line on; if it cannot be opened the client gets a 425. The lines
// before it need not wait for the kernel.
func (s *session) announceActive(a *dialogue.Announcement, line wire.Line) error {
	if err := s.flush(&s.server); err != nil {
		return err
	}
	d, text, err := s.openData(a)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.history.notOpened(FromClient, line, causeOf(err))
		s.answer(s.dialogue.Failed(a.Number, reply425(err)).Answer)
		return nil
	}
	s.open = append(s.open, d)
	if d.told.IsValid() {
		s.dialogue.Promised(a.Number, d.told)
	}
	told := a.Rewrite(nil, line.Bytes, text)
	s.history.announced(FromClient, line, told, d.ID)
	s.server.queue(told)
	return nil
}

// answer queues the gateway's own replies to the client. The caller holds mu.
func (s *session) answer(b []byte) {
	if len(b) > 0 {
		s.history.answer(b)
		s.client.queue(b)
	}
}

// prepareTLS holds back what is queued for the client behind the reply after which
// TLS begins or ends. The caller holds mu.
func (s *session) prepareTLS(v dialogue.Verdict) {
	if v.SwitchTLS {
		s.switchTLS = true
		s.client.hold()
	}
}

// advance does what the state of the client's lines asks for: read more of
// them, or copy them unread.
func (s *session) advance(state progress) error {
	in := &s.client.in
	switch state {
	case turnedOpaque:
		return s.copyRaw(&s.client, &s.server, s.readClient)
	case mustSecure:
		return s.changeTLS()
	}
	if state == mustWait && (in.full() || in.ended) {
		return s.waitUnblocked()
	}
	err := s.readClient()
	if state == mustWait && errors.Is(err, io.EOF) {
		// What waits was said before the end, and goes before it.
		in.ended = true
		s.noteHangUp()
		return nil
	}
	return err
}

// readClient reads more of the client. While lines wait for the server the
// client is still read, as far as the buffer goes, so that its end is noticed;
// the server's pump interrupts the read when they may go.
func (s *session) readClient() error {
	in := &s.client.in
	if in.ended {
		return io.EOF
	}
	err := in.fill(s.client.conn)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return s.interrupted()
	case err != nil:
		return err
	}
	s.touch()
	return s.markUrgent()
}

// interrupted tells why a read of the client was interrupted: the session is
// to be parked, the time is up that the client had after the server's end, or
// blocked lines may go. Then reading goes on.
func (s *session) interrupted() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.parking:
		return errParked
	case !s.closeBy.IsZero() && !time.Now().Before(s.closeBy):
		return errClientStayed
	}
	return s.client.conn.SetReadDeadline(s.closeBy)
}

// errClientStayed ends a session whose server has ended and whose client has
// not.
var errClientStayed = errors.New("the client did not close after the server had")

// waitUnblocked waits until the dialogue lets the client's lines go.
func (s *session) waitUnblocked() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.blocked {
		switch {
		case s.parking:
			return errParked
		case s.ended.Load(), !s.closeBy.IsZero():
			return io.EOF
		}
		s.changed.Wait()
	}
	return nil
}

// markUrgent notes where in the buffer the client's urgent byte will stand.
// The kernel ends a read before it, so it is asked after reads near an IAC.
func (s *session) markUrgent() error {
	in := &s.client.in
	c, ok := s.client.conn.(urgentConn)
	if !ok || bytes.IndexByte(in.unread(), iac) < 0 {
		return nil
	}
	at, err := c.AtMark()
	if at {
		in.urgent = len(in.unread())
	}
	return err
}
