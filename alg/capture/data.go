package capture

import "net/netip"

// State is what became of a data connection.
type State string

// The states. The values are stable: JSON has them.
const (
	Unanswered  State = "unanswered"  // its SYNs had no answer
	Refused     State = "refused"     // answered by a RST
	Unreachable State = "unreachable" // answered by an ICMP message
	Opened      State = "open"        // not ended when the capture did
	Complete    State = "complete"    // ended in order
	Cut         State = "cut"         // ended by a RST
)

// Data is one data connection, or an attempt at one.
type Data struct {
	State State
	// First and Last are the frames of its first and latest segment.
	First, Last uint64
	// From opened it, and To is where it went, as recorded.
	From, To netip.AddrPort
	// Midway says that its beginning is not in the capture, so that From and
	// To are guessed from the announcement.
	Midway bool
	// SYNs counts the tries.
	SYNs int
	// Sent and Received count the bytes from From to To and back, as far as
	// sequence numbers tell.
	Sent, Received int64
	// By is who ended it early: the sender of the RST or the ICMP message, and
	// Why is the message.
	By  netip.Addr
	Why string
}

// describe describes the connection, which a claims.
func (c *connection) describe(a *Announcement) Data {
	from := c.opener
	if from == unknownSide {
		from = c.sideAt(a)
	}
	d := Data{
		State: c.state(from), First: c.first, Last: c.last,
		From: c.ends[from], To: c.ends[1-from], Midway: c.syns == 0, SYNs: c.syns,
		Sent: c.halves[from].sent(), Received: c.halves[1-from].sent(),
		By: c.whom, Why: c.why,
	}
	if c.reset != unknownSide && !d.By.IsValid() {
		d.By = c.ends[c.reset].Addr()
	}
	return d
}

// sideAt returns the side that connected, by the port that was announced.
func (c *connection) sideAt(a *Announcement) int {
	if c.ends[0] == a.Said || c.ends[1] != a.Said && c.ends[0].Port() == a.Said.Port() {
		return 1
	}
	return 0
}

// established reports whether both sides took part.
func (c *connection) established() bool {
	return c.answered || c.halves[0].sent()+c.halves[1].sent() > 0
}

func (c *connection) state(from int) State {
	ended := c.halves[0].end >= 0 && c.halves[0].known || c.halves[1].end >= 0 && c.halves[1].known
	switch {
	case !c.established() && c.syns > 0 && c.why != "":
		return Unreachable
	case !c.established() && c.syns > 0 && c.reset == 1-from:
		return Refused
	case !c.established() && c.syns > 0:
		return Unanswered
	case ended:
		return Complete
	case c.reset != unknownSide:
		return Cut
	}
	return Opened
}
