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

// errRefused ends a session whose client does not speak FTP.
var errRefused = errors.New("not FTP")

// progress is how far the client's lines could be taken.
type progress uint8

const (
	needMore     progress = iota // no whole line is left
	mustWait                     // what is left waits for the server
	turnedOpaque                 // nothing may be read any more
)

// pumpClient carries the client's stream to the server until it ends.
func (s *session) pumpClient() {
	in := newBuffer(s.settings.CommandLine)
	split := wire.CommandSplitter{Max: s.settings.CommandLine}
	for {
		state, err := s.commands(in, &split)
		if err == nil {
			err = s.advance(in, state)
		}
		if err != nil {
			s.finish(err, s.server)
			return
		}
	}
}

// commands takes the client's lines as far as they are whole and may go.
func (s *session) commands(in *buffer, split *wire.CommandSplitter) (progress, error) {
	run := run{to: s.server, in: in}
	for {
		line, n, v, state := s.nextCommand(in.unread()[run.ready:], split)
		// Before a line may stand the rest of an over-long one.
		if err := run.drop(n - len(line.Bytes)); err != nil {
			return state, err
		}
		if line.Bytes == nil {
			return state, run.flush()
		}
		if err := s.obey(v, line, &run); err != nil {
			return state, err
		}
	}
}

// nextCommand takes one line off the first n bytes of data and judges it.
// Without a line, state says why.
func (s *session) nextCommand(data []byte, split *wire.CommandSplitter) (line wire.Line, n int, v dialogue.Verdict, state progress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.dialogue.Opaque():
		return line, 0, v, turnedOpaque
	case len(data) == 0:
		return line, 0, v, needMore
	case s.dialogue.Waiting():
		s.stalled = true
		return line, 0, v, mustWait
	}
	line, n = split.Next(data)
	if line.Bytes != nil {
		v = s.dialogue.Command(line)
		s.lines.client.Add(1)
		if v.Verb == wire.USER {
			user := s.dialogue.User()
			s.user.Store(&user)
		}
		s.commanded.Store(s.dialogue.Commanded())
	}
	return line, n, v, needMore
}

// obey carries out the verdict on a line of the client.
func (s *session) obey(v dialogue.Verdict, line wire.Line, run *run) error {
	n := len(line.Bytes)
	switch v.Action {
	case dialogue.Pass:
		s.history.command(line, v)
		run.pass(n)
		return nil
	case dialogue.Announce:
		p, err := s.promise(v.Announcement)
		s.mu.Lock()
		if err == nil {
			s.remember(v.Announcement, p)
			s.mu.Unlock()
			told := v.Announcement.Rewrite(nil, line.Bytes, p.text)
			s.history.announced(FromClient, line, told, p.want.ID)
			return run.replace(n, told)
		}
		s.history.unpromised(FromClient, line, causeOf(err))
		v = s.dialogue.Failed(v.Announcement.Number, reply425(err))
		s.mu.Unlock()
	default:
		s.history.command(line, v)
		s.noteRefusal(v)
	}
	if err := errors.Join(run.drop(n), s.answer(v.Answer)); err != nil {
		return err
	}
	if v.Action == dialogue.Close {
		return errRefused
	}
	return nil
}

// answer writes the gateway's own replies to the client.
func (s *session) answer(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.history.answer(b)
	_, err := s.client.Write(b)
	return err
}

// advance does what the state of the client's lines asks for: read more of
// them, or copy them unread.
func (s *session) advance(in *buffer, state progress) error {
	if state == turnedOpaque {
		return s.copyRaw(s.server, in, func() error { return s.readClient(in) })
	}
	if state == mustWait && (in.full() || in.ended) {
		return s.waitFreed()
	}
	if in.ended {
		return io.EOF
	}
	err := s.readClient(in)
	if state == mustWait && errors.Is(err, io.EOF) {
		// What waits was said before the end, and goes before it.
		in.ended = true
		return nil
	}
	return err
}

// readClient reads more of the client. While lines wait for the server the
// client is still read, as far as the buffer goes, so that its end is noticed;
// the server's pump interrupts the read when they may go.
func (s *session) readClient(in *buffer) error {
	if in.ended {
		return io.EOF
	}
	err := in.fill(s.client)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return s.resume()
	case err != nil:
		return err
	}
	s.heard()
	return s.markUrgent(in)
}

// resume tells an interruption by free, after which reading goes on, from the
// end of the time that the client has after the server's end.
func (s *session) resume() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.lingerUntil.IsZero() && !time.Now().Before(s.lingerUntil) {
		return errLingered
	}
	return s.client.SetReadDeadline(s.lingerUntil)
}

// errLingered ends a session whose server has ended and whose client has not.
var errLingered = errors.New("the client did not close after the server had")

// waitFreed waits until the dialogue lets the client's lines go.
func (s *session) waitFreed() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.stalled {
		if s.ended.Load() || !s.lingerUntil.IsZero() {
			return io.EOF
		}
		s.freed.Wait()
	}
	return nil
}

// markUrgent notes where in the buffer the client's urgent byte will stand.
// The kernel ends a read before it, so it is asked after reads near an IAC.
func (s *session) markUrgent(in *buffer) error {
	u, ok := s.client.(urgent)
	if !ok || bytes.IndexByte(in.unread(), iac) < 0 {
		return nil
	}
	at, err := u.AtMark()
	if at {
		in.urgent = len(in.unread())
	}
	return err
}
