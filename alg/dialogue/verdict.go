package dialogue

import (
	"net/netip"

	"ftpalg/alg/expect"
	"ftpalg/alg/wire"
)

// Action is what must happen to a line.
type Action uint8

const (
	// Pass sends the line on as it came.
	Pass Action = iota
	// Announce sends the line on with another host-port, once the pinhole that
	// it announces is open; Announcement describes it.
	Announce
	// Refuse keeps the line from the other side.
	Refuse
	// Close refuses the line and ends the session.
	Close
)

// Reason says why a line was not simply passed. The values are stable: logs
// and metrics use them.
type Reason string

// The reasons.
const (
	NoReason   Reason = ""
	ThirdParty Reason = "third_party" // names a host that is not the session's own
	LowPort    Reason = "low_port"    // a port below 1024 (RFC 2577 section 3)
	Syntax     Reason = "syntax"      // a host-port that cannot be read
	Framing    Reason = "framing"     // two parties could read the line differently
	TooLong    Reason = "too_long"    // longer than the limit
	Family     Reason = "family"      // the other address family
	NotAllowed Reason = "policy"      // not allowed by configuration, or not supported
	Sequence   Reason = "sequence"    // not allowed after EPSV ALL (RFC 2428 section 4)
	NotFTP     Reason = "not_ftp"     // another protocol's first line
	Unasked    Reason = "unasked"     // a 227 or 229 that answers no PASV or EPSV
)

// Verdict is the decision on one line.
type Verdict struct {
	Action Action
	Reason Reason
	// Setting is that of the Policy which forbids the line, if one does.
	Setting string
	// Announcement is set with Announce. It is set with a line, too, that
	// announces something and is refused or unasked, if it can be read; it must
	// not be acted on then. Else it is nil.
	Announcement *Announcement
	// Line goes to the server in the place of a client's line that passes; nil
	// if that does itself.
	Line []byte
	// Ask, with a server's line that is refused, goes to the server: another
	// command in the place of the one that it does not know.
	Ask []byte
	// Learned is what the line tells of a server that may be asked for EPSV; zero
	// for nothing new.
	Learned EPSV
	// Answer goes to the client at once: the gateway's own replies whose turn
	// has come. With a server's line it follows that line.
	Answer []byte
	// Before, with a server's line that passes or announces, goes to the
	// client before that line: the first lines of a multi-line reply to PASV
	// or EPSV.
	Before []byte
	// Opaque says that after this line the connection may no longer be read.
	Opaque bool
	// SwitchTLS says that the gateway and the client begin TLS behind Answer, or
	// end it where they have it.
	SwitchTLS bool
	// Verb is the command of a client's line; empty if unknown.
	Verb wire.Verb
	// Secret is where in a client's line a password stands, empty if there
	// is none. It must not be shown or logged.
	Secret wire.Span
	// Begun is the transfer that begins with a server's line, Ended the one
	// that ends with it, if any.
	Begun, Ended *Transfer
	// LoginFailed says that the server has refused a password.
	LoginFailed bool
	// Drop lists what has ended.
	Drop Drop
}

// Announcement is one data connection as its side announced it.
type Announcement struct {
	// Number counts the announcements of a session from 1, in the order of
	// their commands.
	Number uint64
	Mode   expect.Mode
	// At is where the announcing side waits: the host is that of its control
	// connection unless the policy allows a third party.
	At netip.AddrPort
	// ServerMode is how the server's side of the connection is made where that is
	// not Mode, else 0. A server that is passive where the client is active waits
	// at ServerAt: the gateway connects to both. An active one connects to the
	// gateway as its passive client does, so that nobody waits, and At is zero.
	ServerMode expect.Mode
	ServerAt   netip.AddrPort
	// Said is the host-port as the text has it; for EPSV its address is
	// invalid, the text carries none (RFC 2428 section 3).
	Said netip.Addr
	// Protected says that the client's side of the connection is under TLS,
	// whose other end is the gateway (RFC 4217 section 9, PROT P).
	Protected bool
	hostPort  wire.HostPort
	// text is the line that is sent in the place of the one that came, before
	// its host-port is replaced; nil if the line that came serves.
	text []byte
}

// Rewrite appends line to dst with its host-port replaced by to. A reply that
// two parties could read differently, or whose text could show the server's
// address once more, is written anew.
func (a *Announcement) Rewrite(dst, line []byte, to netip.AddrPort) []byte {
	if a.text != nil {
		line = a.text
	}
	if a.ServerMode.Passive() {
		return append(dst, line...)
	}
	return a.hostPort.Append(dst, line, to)
}
