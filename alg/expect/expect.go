// Package expect holds the values that all sides of ftpalg speak of: what a
// dialogue promised (an Expectation) and by which command (its Mode). It has
// no behaviour beyond printing itself, so that the packages which decide and
// the packages which act need not know each other.
package expect

import (
	"fmt"
	"net/netip"
	"time"
)

// Mode is the command by which a data connection was announced.
type Mode uint8

// The four announcements of a data connection: RFC 959 section 4.1.2 (PORT,
// PASV) and RFC 2428 sections 2 and 3 (EPRT, EPSV).
const (
	PASV Mode = iota + 1
	EPSV
	PORT
	EPRT
)

var modeNames = [...]string{PASV: "PASV", EPSV: "EPSV", PORT: "PORT", EPRT: "EPRT"}

// String returns the command's verb in upper case.
func (m Mode) String() string {
	if m < PASV || m > EPRT {
		return fmt.Sprintf("Mode(%d)", uint8(m))
	}
	return modeNames[m]
}

// MarshalText returns the command's verb, for JSON and logs.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (m *Mode) UnmarshalText(text []byte) error {
	for mode := PASV; mode <= EPRT; mode++ {
		if string(text) == modeNames[mode] {
			*m = mode
			return nil
		}
	}
	return fmt.Errorf("%q is no mode of a data connection", text)
}

// Passive reports whether the client opens the data connection (PASV, EPSV);
// otherwise the server does (PORT, EPRT).
func (m Mode) Passive() bool { return m == PASV || m == EPSV }

// ID names one Expectation, beyond the life of the process that made it.
type ID uint64

// Expectation is one promised data connection: exactly one TCP connection
// from one host to one address and port, until a deadline.
type Expectation struct {
	// ID is unique on this machine.
	ID ID
	// Session is the number of the session that made the promise.
	Session uint64
	// Mode is the command that announced it.
	Mode Mode
	// From is the only host that may connect. Its port is not known.
	From netip.Addr
	// Reached is where that host was told to connect, as its packets arrive
	// at this machine: after any NAT in front of us, before our own.
	Reached netip.AddrPort
	// Target is where the connection must be sent. It equals Reached
	// where addresses and ports stay as they are.
	Target netip.AddrPort
	// Seen is the source address that the target must see. It equals From
	// where the source stays as it is.
	Seen netip.Addr
	// Until is when the promise ends if nobody has come.
	Until time.Time
	// Relayed says that the gateway itself takes the connection, and makes
	// another one to the target.
	Relayed bool
}

// Key is what a connection shows of itself: two expectations of the same Key
// cannot be told apart.
type Key struct {
	From    netip.Addr
	Reached netip.AddrPort
}

// Key returns the expectation's.
func (e Expectation) Key() Key { return Key{e.From, e.Reached} }

// String returns the expectation on one line, as an operator would draw it.
func (e Expectation) String() string {
	s := fmt.Sprintf("session %d %s: %s -> %s", e.Session, e.Mode, e.From, e.Reached)
	if e.Target != e.Reached {
		s += fmt.Sprintf(" => %s", e.Target)
	}
	if e.Seen != e.From {
		s += fmt.Sprintf(" as %s", e.Seen)
	}
	if e.Relayed {
		s += ", relayed"
	}
	return s
}
