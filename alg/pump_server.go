package alg

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/wire"
)

// replyLine is how much of one reply line is held, in bytes; a longer one
// passes in pieces.
const replyLine = 4096

// pumpServer carries the server's stream to the client until it ends.
func (s *session) pumpServer() {
	var err error
	for err == nil {
		var opaque bool
		opaque, err = s.replies()
		switch {
		case err != nil:
		case opaque:
			err = s.copyRaw(&s.server, &s.client, s.readServer)
		default:
			err = s.readServer()
		}
	}
	s.finish(err, &s.server, &s.client)
	if !errors.Is(err, errParked) {
		s.awaitClientClose()
	}
}

func (s *session) readServer() error {
	err := s.server.in.fill(s.server.conn)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errParked // nothing else sets a deadline
	case errors.Is(err, syscall.ECONNRESET) && s.serverTLS != nil && s.hungUp.Load():
		return io.EOF // it has closed, and our close_notify came too late for it
	}
	s.touch()
	return err
}

// replies takes the server's lines as far as they are whole. It holds mu
// throughout, so that no answer of our own comes between two of them out of
// turn.
func (s *session) replies() (opaque bool, err error) {
	s.mu.Lock()
	asked := false
	for !s.dialogue.Opaque() {
		line, n := s.server.lines.Next(s.server.in.unread())
		if line.Bytes == nil {
			break
		}
		s.awaitSettled(line.Bytes)
		s.server.in.take(n)
		v := s.dialogue.Reply(line)
		s.lines.server.Add(1)
		// Before the client can know it.
		s.transferring.Store(s.dialogue.Transferring())
		s.commanded.Store(s.dialogue.Commanded())
		s.opaque.Store(s.dialogue.Opaque())
		s.reply(v, line)
		asked = asked || v.Ask != nil
		if v.LoginFailed && s.noteFailedLogin() {
			err = errBanned
			break
		}
	}
	s.unblock()
	opaque = s.dialogue.Opaque()
	s.mu.Unlock()
	if asked {
		err = errors.Join(err, s.flush(&s.server))
	}
	return opaque, errors.Join(s.flush(&s.client), err)
}

// reply carries out the verdict on a line of the server. The caller holds mu.
func (s *session) reply(v dialogue.Verdict, line wire.Line) {
	line = s.orNotResumed(v, line)
	if v.Learned != dialogue.EPSVUntried {
		s.g.learned.note(s.ends.Server, v.Learned)
	}
	s.server.queue(v.Ask)
	s.followTransfer(v)
	s.releaseData(v.Drop)
	if v.Opaque {
		s.g.observer.Opaque(s.number, true)
		s.log.Info("encrypted from here on: no data port can be opened for what is announced", "event", "opaque",
			"pass_ports", s.service.PassPorts)
		s.passPorts()
	}
	switch v.Action {
	case dialogue.Announce:
		s.announcePassive(v, line)
	case dialogue.Refuse:
		s.history.reply(line, v.Reason)
		s.noteRefusal(v)
	default:
		s.history.reply(line, dialogue.NoReason)
		if v.Reason != dialogue.NoReason {
			s.log.Debug("reply passed, nothing opened for it", "event", "unasked", "reason", v.Reason)
		}
		s.client.queue(v.Before)
		s.client.queue(line.Bytes)
	}
	s.answer(v.Answer)
	s.prepareTLS(v)
}

// announcePassive opens the data connection that a 227 or 229 announces and
// sends the line on; if it cannot be opened the client gets a 425 instead. The
// caller holds mu.
func (s *session) announcePassive(v dialogue.Verdict, line wire.Line) {
	d, text, err := s.openData(v.Announcement)
	if err != nil {
		s.history.notOpened(FromServer, line, causeOf(err))
		s.answer([]byte(reply425(err) + "\r\n"))
		return
	}
	s.open = append(s.open, d)
	told := v.Announcement.Rewrite(bytes.Clone(v.Before), line.Bytes, text)
	s.history.announced(FromServer, line, told[len(v.Before):], d.ID)
	s.client.queue(told)
}

// unblock lets the client's lines go that wait for the server. The caller
// holds mu.
func (s *session) unblock() {
	waits := s.dialogue.Waiting() && !s.dialogue.Opaque()
	if !s.switchTLS && (!s.blocked || waits) {
		return
	}
	s.blocked = false
	s.interruptRead(&s.client)
	s.changed.Broadcast()
}

// awaitClientClose gives the client a limited time to close after the server
// has, and releases its data connections (RFC 959 section 3.2: the server
// closes the data connection with the control connection).
func (s *session) awaitClientClose() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endTransfer()
	s.releaseAllData()
	s.closeBy = time.Now().Add(closeTimeout)
	if !s.parking {
		s.client.conn.SetReadDeadline(s.closeBy)
	}
	s.changed.Broadcast()
}
