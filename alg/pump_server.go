package alg

import (
	"bytes"
	"errors"
	"io"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/wire"
)

// replyLine is how much of one reply line is held, in bytes; a longer one
// passes in pieces.
const replyLine = 4096

// pumpServer carries the server's stream to the client until it ends.
func (s *session) pumpServer() {
	in := newBuffer(replyLine)
	split := wire.ReplySplitter{Max: replyLine}
	var err error
	for err == nil {
		if err = s.readServer(in); err != nil {
			break
		}
		var opaque bool
		if opaque, err = s.replies(in, &split); err == nil && opaque {
			err = s.copyRaw(s.client, in, func() error { return s.readServer(in) })
		}
	}
	s.finish(err, s.client)
	s.linger()
}

func (s *session) readServer(in *buffer) error {
	err := in.fill(s.server)
	s.heard()
	return err
}

// replies takes the server's lines as far as they are whole. It holds mu
// throughout, so that no answer of our own comes between two of them out of
// turn.
func (s *session) replies(in *buffer, split *wire.ReplySplitter) (opaque bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	run := run{to: s.client, in: in}
	for err == nil && !s.dialogue.Opaque() {
		line, _ := split.Next(in.unread()[run.ready:])
		if line.Bytes == nil {
			break
		}
		v := s.dialogue.Reply(line)
		s.lines.server.Add(1)
		// Before the client can know it.
		s.transferring.Store(s.dialogue.Transferring())
		s.commanded.Store(s.dialogue.Commanded())
		s.opaque.Store(s.dialogue.Opaque())
		err = s.relay(v, line, &run)
	}
	err = errors.Join(err, run.flush())
	s.free()
	return s.dialogue.Opaque(), err
}

// relay carries out the verdict on a line of the server. The caller holds mu.
func (s *session) relay(v dialogue.Verdict, line wire.Line, run *run) error {
	n := len(line.Bytes)
	s.followTransfer(v)
	s.endPromises(v.Drop)
	if v.Opaque {
		s.g.observer.Opaque(s.number, true)
		s.log.Info("encrypted from here on: no data port can be opened for this session", "event", "opaque")
	}
	var err error
	switch v.Action {
	case dialogue.Announce:
		p, cause := s.promise(v.Announcement)
		if cause != nil {
			s.history.unpromised(FromServer, line, causeOf(cause))
			instead := []byte(reply425(cause) + "\r\n")
			s.history.answer(instead)
			err = run.replace(n, instead)
			break
		}
		s.remember(v.Announcement, p)
		told := v.Announcement.Rewrite(bytes.Clone(v.Before), line.Bytes, p.text)
		s.history.announced(FromServer, line, told[len(v.Before):], p.want.ID)
		err = run.replace(n, told)
	case dialogue.Refuse:
		s.history.reply(line, v.Reason)
		s.noteRefusal(v)
		err = run.drop(n)
	default:
		s.history.reply(line, dialogue.NoReason)
		if v.Reason != dialogue.NoReason {
			s.log.Debug("reply passed, nothing opened for it", "event", "unasked", "reason", v.Reason)
		}
		if len(v.Before) > 0 {
			err = run.insert(v.Before)
		}
		run.pass(n)
	}
	if err != nil || len(v.Answer) == 0 {
		return err
	}
	s.history.answer(v.Answer)
	return run.insert(v.Answer)
}

// free lets the client's lines go that wait for the server. The caller holds
// mu.
func (s *session) free() {
	if !s.stalled || s.dialogue.Waiting() && !s.dialogue.Opaque() {
		return
	}
	s.stalled = false
	s.client.SetReadDeadline(time.Unix(1, 0)) // long past: interrupts a read
	s.freed.Broadcast()
}

// linger gives the client a last while: nobody will answer it any more, and
// nobody waits for it (RFC 959 section 3.2: the server closes the data
// connection with the control connection).
func (s *session) linger() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endTransfer()
	s.endAllPromises()
	s.lingerUntil = time.Now().Add(lingerTimeout)
	s.client.SetReadDeadline(s.lingerUntil)
	s.freed.Broadcast()
}

// copyRaw carries an opaque stream to its end, beginning with what is left in
// the buffer.
func (s *session) copyRaw(to Conn, in *buffer, read func() error) error {
	for {
		if held := in.unread(); len(held) > 0 {
			if _, err := to.Write(held); err != nil {
				return err
			}
			in.consume(len(held))
		}
		if err := read(); err != nil {
			return err
		}
	}
}

// finish ends one direction: an orderly end is passed on as such, anything
// else ends the session.
func (s *session) finish(err error, to Conn) {
	switch {
	case s.ended.Load():
	case errors.Is(err, io.EOF):
		if !s.halfOver.Swap(true) {
			to.CloseWrite()
		} // else both directions have ended, and both connections are closed next
	case errors.Is(err, errLingered):
		s.end(Closed, "")
	case errors.Is(err, errRefused):
		s.end(Refused, "")
	default:
		s.log.Info("connection broke", "event", "connection_broke", "error", err)
		s.end(Failed, "")
	}
}
