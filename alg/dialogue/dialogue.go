package dialogue

import (
	"net/netip"

	"ftpalg/alg/wire"
)

// Limits of a dialogue. They bound memory, not users: a client that reaches
// one waits until the server has answered.
const (
	// maxPending is the most commands that may await a reply.
	maxPending = 1024
	// maxAnnounced is the most announcements of the client that may await a
	// reply: each holds a port and a pinhole.
	maxAnnounced = 16
	// maxHeld bounds the first lines of a multi-line 227 or 229, in bytes.
	maxHeld = 4096
	// lowestPort is the lowest port of a data connection (RFC 2577 section 3).
	lowestPort = 1024
)

// Dialogue is the state of one control connection. It is not safe for
// concurrent use.
type Dialogue struct {
	policy Policy
	// observing says that there is no gateway between the two: every line passes,
	// whatever the verdict on it.
	observing      bool
	client, server netip.Addr

	pending queue
	replies wire.ReplyReader

	// greeted says that a line of the client may pass: the server has spoken.
	greeted bool
	// spoken says that the client's first line has been judged.
	spoken bool
	// securing says that an AUTH awaits its reply.
	securing bool
	epsvAll  bool
	opaque   bool
	// epsv is what is known of the server where it may be asked for EPSV in the
	// client's place.
	epsv EPSV

	// Where the gateway is the end of the client's TLS: switching says that
	// the reply has just been given behind which TLS begins or ends, secure that the
	// control connection is under TLS, sized that PBSZ was given, protected that data is, too.
	switching, secure, sized, protected bool

	// announced counts the announcements, those included that a PASV or EPSV
	// has asked for; inForce is the latest that has been accepted; waiting counts those of the client that await
	// a reply.
	announced uint64
	inForce   uint64
	waiting   int

	// loggedIn says that the server has accepted the client's login.
	loggedIn bool
	// user is the name that the client gave last, form the letter of the
	// representation type in force.
	user string
	form byte

	group replyGroup
	// midLine says that the client has part of a reply line.
	midLine bool
}

// replyGroup is what is known of the reply that is being read.
type replyGroup struct {
	// faulty says that a line of it may be read differently by two parties.
	faulty bool
	// held is the start of a multi-line reply to PASV or EPSV, kept until its
	// last line has been judged; overlong says that not all of it is.
	held     []byte
	overlong bool
	// continued says that it has more than one line.
	continued bool
	// swallow says that the rest of an over-long line goes nowhere.
	swallow bool
}

// New returns the dialogue of a control connection between the hosts client
// and server, as the gateway's sockets see them. It begins before the
// server's greeting.
func New(policy Policy, client, server netip.Addr) *Dialogue {
	d := &Dialogue{policy: policy, client: client.Unmap(), server: server.Unmap(), form: defaultForm}
	d.pending.push(exchange{verb: greeting})
	return d
}

// Observe returns the dialogue of a control connection that was recorded. Its
// verdicts say what a gateway with this policy would have done; what it
// refuses has reached the other side all the same, and is followed there. The
// recording begins before the server's greeting if fromStart, else anywhere.
func Observe(policy Policy, client, server netip.Addr, fromStart bool) *Dialogue {
	d := New(policy, client, server)
	d.observing = true
	if !fromStart {
		d.pending = queue{}
		d.spoken = true
	}
	return d
}

// Lost says that lines are missing from a recording at this point, of either
// side: a reply that was begun has no end, and of the commands that await one
// only the latest still may.
func (d *Dialogue) Lost() {
	d.replies, d.group, d.midLine = wire.ReplyReader{}, replyGroup{}, false
	d.securing, d.waiting = false, 0
	if n := d.pending.len(); n > 0 {
		last := *d.pending.at(n - 1)
		d.pending = queue{}
		if last.verb != greeting {
			last.doubtful = true
			d.pending.push(last)
		}
	}
}

// Waiting reports whether the client's next line must stay unread until the
// server has spoken: before the greeting, behind an AUTH (RFC 4217 section 4,
// what follows might be meant for TLS) until Secured, while the server may not
// know what it was asked for, and when too much is in flight.
func (d *Dialogue) Waiting() bool {
	return !d.greeted || d.securing || d.trying() || d.pending.len() >= maxPending || d.waiting >= maxAnnounced
}

// Opaque reports whether the control connection may no longer be read.
func (d *Dialogue) Opaque() bool { return d.opaque }

// Transferring reports whether a transfer has begun and not ended, as far as
// the replies tell.
func (d *Dialogue) Transferring() bool {
	for i := range d.pending.len() {
		if e := d.pending.at(i); e.started && !e.spent && e.verb.Transfers() {
			return true
		}
	}
	return false
}

// Commanded reports whether the client has asked for a transfer whose end has
// not come.
func (d *Dialogue) Commanded() bool {
	for i := range d.pending.len() {
		if e := d.pending.at(i); !e.spent && e.verb.Transfers() {
			return true
		}
	}
	return false
}

// MidReply reports whether the client has seen the beginning of a reply whose
// end has not come; a reply of the gateway's own would fall into its text.
func (d *Dialogue) MidReply() bool { return d.midLine || d.replies.Open() }
