package capture

import (
	"net/netip"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
)

// Announcement is one line that announces a data connection. What became of
// it grows while the capture is read on.
type Announcement struct {
	Session *Session
	// Frame is the number of the packet that completed the line, Time when it
	// was recorded.
	Frame uint64
	Time  time.Time
	Mode  expect.Mode
	// Said is what the line announces; for EPSV, which names no address, the
	// server's (RFC 2428 section 3).
	Said netip.AddrPort
	// Reason says why a gateway would not have obeyed the line; empty if it
	// would have. At is where it would have taken the announcing side to be.
	Reason dialogue.Reason
	At     netip.AddrPort
	// Unseen says that the command which a 227 or 229 answers is not in the
	// capture.
	Unseen bool
	// Uncertain says that lines before it are missing on both sides, so that
	// a 227 or 229 may be text within another reply.
	Uncertain bool
	// Repeats says that the same host and port were announced before in this
	// session.
	Repeats bool
	// Reply is the code of the server's answer to PORT or EPRT, 0 if there is
	// none in the capture.
	Reply int
	// Transfer is the first command that used it, with its argument, and
	// Result the code of that command's last reply, 0 for none.
	Transfer string
	Result   int

	number   uint64
	attempts []*connection
}

// maxAttempts is how many attempts to connect are kept of an announcement.
const maxAttempts = 4

// Announcer returns the host that sent the line, Peer the one it told.
func (a *Announcement) Announcer() netip.Addr { return a.side(!a.Mode.Passive()) }

// Peer returns the host that the announcement tells, and that is to connect.
func (a *Announcement) Peer() netip.Addr { return a.side(a.Mode.Passive()) }

func (a *Announcement) side(client bool) netip.Addr {
	if client {
		return a.Session.Client.Addr()
	}
	return a.Session.Server.Addr()
}

// Attempts returns how often somebody tried to connect.
func (a *Announcement) Attempts() int { return len(a.attempts) }

// Data returns the data connection that came, or the last attempt at one.
func (a *Announcement) Data() (Data, bool) {
	if len(a.attempts) == 0 {
		return Data{}, false
	}
	return a.attempts[len(a.attempts)-1].describe(a), true
}

// wants reports whether a connection that was opened may be the announced one:
// another attempt after one that was answered is somebody else's.
func (a *Announcement) wants() bool {
	n := len(a.attempts)
	return n == 0 || n < maxAttempts && !a.attempts[n-1].established()
}
