package capture

import (
	"net/netip"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/alg/wire"
)

// Session is one control connection.
type Session struct {
	// Number counts the sessions from 1, in the order in which they were
	// recognised.
	Number         uint64
	Client, Server netip.AddrPort
	// First and Last are the frames of its first and latest segment, Begun and
	// Ended their times.
	First, Last  uint64
	Begun, Ended time.Time
	// Twin is the same session as it was recorded on the other side of a NAT,
	// nil if it was not.
	Twin *Session
	// Midway says that its beginning is not in the capture.
	Midway bool
	// User is the name that the client gave.
	User string
	// Lines counts what was said. Opaque is the frame from which on the
	// connection is encrypted, 0 if it is not; Secured the command that asked
	// for it.
	Lines   uint64
	Opaque  uint64
	Secured string
	// Protection is what the beginning of the encryption shows of it, nil for
	// nothing.
	Protection *Protection
	// Lost counts the bytes that are missing in the capture, Snapped those
	// that its snap length cut off, both of both streams.
	Lost, Snapped int64
	// OneSided is set if one side is not in the capture.
	OneSided bool
	// Unreadable counts the announcements whose host-port cannot be read, the
	// first of them in frame UnreadableAt.
	Unreadable   int
	UnreadableAt uint64
	// Announced counts the announcements; the first of them are kept.
	Announced     int
	Announcements []*Announcement
	// Reset says that a RST ended it; Closed that it ended at all.
	Reset, Closed bool

	talk
}

// talk is what follows the lines of a session.
type talk struct {
	analyzer *Analyzer
	conn     *connection
	client   int // the client's side of conn
	dialogue *dialogue.Dialogue
	commands wire.CommandSplitter
	answers  wire.ReplySplitter
	replies  wire.ReplyReader
	streams  [2]stream
	// blind says that commands may have been missed since the last one seen.
	// deaf that lines of the server may have been, so that what comes next may
	// be text of a reply.
	blind, deaf bool
	// securing is the AUTH that awaits its reply.
	securing string
	// hello reads the beginning of TLS, nil before and after.
	hello *handshake
	// open holds the latest announcements, whose connection may yet come.
	open []*Announcement
}

// Limits of what a session keeps.
const (
	maxKept = 500  // announcements
	maxOpen = 8    // announcements whose connection may yet come
	maxTorn = 4096 // bytes of a line whose beginning is missing
)

func (s *Session) line(side int, line wire.Line, frame uint64, at time.Time) {
	s.Lines++
	if side == s.client {
		s.command(line, frame, at)
		return
	}
	s.reply(line, frame, at)
}

func (s *Session) command(line wire.Line, frame uint64, at time.Time) {
	c := wire.ParseCommand(line.Bytes)
	switch {
	case c.Verb == wire.USER:
		s.User = printable(c.Arg.In(line.Bytes))
	case c.Verb == wire.AUTH:
		s.securing = "AUTH " + printable(c.Arg.In(line.Bytes))
	case c.Verb.Transfers():
		s.transfer(c, line.Bytes)
	}
	v := s.dialogue.Command(line)
	s.blind, s.deaf = false, false
	s.note(v, frame, at)
	if (c.Verb == wire.PORT || c.Verb == wire.EPRT) && v.Announcement == nil {
		s.unreadable(frame)
	}
}

// transfer notes the command that uses the latest announcement.
func (s *Session) transfer(c wire.Command, line []byte) {
	if n := len(s.open); n > 0 && s.open[n-1].Transfer == "" {
		s.open[n-1].Transfer = string(c.Verb)
		if arg := printable(c.Arg.In(line)); arg != "" {
			s.open[n-1].Transfer += " " + arg
		}
	}
}

func (s *Session) reply(line wire.Line, frame uint64, at time.Time) {
	var r wire.ReplyLine
	if line.Begins {
		r = s.replies.Line(line.Text())
	}
	v := s.dialogue.Reply(line)
	if r.Final {
		s.answered(r.Code, v)
	}
	s.note(v, frame, at)
	announces := r.Code == wire.Code227Passive || r.Code == wire.Code229Extended
	if announces && r.Final && v.Announcement == nil && v.Reason != dialogue.Unasked {
		s.unreadable(frame)
	}
	if v.Opaque {
		s.Opaque, s.Secured = frame, s.securing
		s.hello = new(handshake)
	}
}

// answered notes a reply where it tells what became of an announcement.
func (s *Session) answered(code int, v dialogue.Verdict) {
	for _, a := range s.open {
		if !a.Mode.Passive() && a.Reply == 0 && (v.Drop.Only == a.number || v.Drop.Below == a.number) {
			a.Reply = code
			return
		}
	}
	if code < 200 || v.Announcement != nil {
		return
	}
	for i := len(s.open) - 1; i >= 0; i-- {
		a := s.open[i]
		if a.Transfer != "" && a.Result == 0 && ends(code) {
			a.Result = code
			return
		}
	}
}

// ends reports whether a transfer can have this last reply.
func ends(code int) bool {
	return code == wire.Code226Closing || code == wire.Code250Done || code >= 400
}

// note keeps what a verdict says.
func (s *Session) note(v dialogue.Verdict, frame uint64, at time.Time) {
	said := v.Announcement
	if said == nil || v.Reason == dialogue.Unasked && s.deaf && !s.blind {
		return
	}
	a := &Announcement{
		Session: s, Frame: frame, Time: at, Mode: said.Mode, At: said.At, Reason: v.Reason, number: said.Number,
		Said: netip.AddrPortFrom(said.Said, said.At.Port()),
	}
	if said.Mode == expect.EPSV {
		a.Said = said.At
	}
	if v.Reason == dialogue.Unasked && s.blind {
		a.Unseen, a.Uncertain, a.Reason = true, s.deaf, dialogue.NoReason
	}
	s.Announced++
	for _, b := range s.open {
		a.Repeats = a.Repeats || b.Said == a.Said && b.Mode == a.Mode
	}
	if len(s.Announcements) < maxKept && s.analyzer.kept < maxKeptInAll {
		s.Announcements = append(s.Announcements, a)
		s.analyzer.kept++
	}
	s.open = append(s.open, a)
	if len(s.open) > maxOpen {
		s.analyzer.expected.remove(s.open[0])
		s.open = s.open[1:]
	}
	s.analyzer.announce(a)
}

func (s *Session) unreadable(frame uint64) {
	s.Unreadable++
	if s.UnreadableAt == 0 {
		s.UnreadableAt = frame
	}
}

// lost implements reader.
func (s *Session) lost(side int, bytes int64, snapped bool, _ uint64) {
	if s.Opaque != 0 {
		s.endHello()
		return
	}
	if snapped {
		s.Snapped += bytes
	} else {
		s.Lost += bytes
	}
	s.streams[side] = stream{torn: true}
	s.dialogue.Lost()
	if side == s.client {
		s.commands, s.blind = wire.CommandSplitter{}, true
	} else {
		s.answers, s.replies, s.deaf = wire.ReplySplitter{}, wire.ReplyReader{}, true
	}
}

// closed implements reader.
func (s *Session) closed(int) { s.Closed = true }

// heldBytes implements reader.
func (s *Session) heldBytes() int {
	n := cap(s.streams[0].held) + cap(s.streams[1].held)
	if s.hello != nil {
		n += s.hello.heldBytes()
	}
	return n
}

// numbers returns the first sequence numbers of client and server, if both
// were recorded.
func (s *Session) numbers() (n [2]uint32, ok bool) {
	client, server := &s.conn.halves[s.client], &s.conn.halves[1-s.client]
	return [2]uint32{client.start, server.start}, client.fromSYN && server.fromSYN
}

// end completes what is known of the session when nothing more will come.
func (s *Session) end() {
	c := s.conn
	s.First, s.Last, s.Begun, s.Ended = c.first, c.last, c.firstTime, c.lastTime
	s.Reset = c.reset != unknownSide
	s.OneSided = c.halves[0].sent() <= 1 || c.halves[1].sent() <= 1
	for _, a := range s.open {
		s.analyzer.expected.remove(a)
	}
	s.open = nil
	s.analyzer.kept -= len(s.Announcements)
}
