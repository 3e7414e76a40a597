package report

import (
	"fmt"
	"time"

	"ftpalg/alg/expect"
	"ftpalg/rules/rule"
)

// EventKind says what an Event is about.
type EventKind uint8

// The kinds of events.
const (
	// Drift: rules of ours were missing, or had come back, and have been put
	// right. Rules names them.
	Drift EventKind = iota + 1
	// RepairFailed: the kernel could not be compared or repaired; Err says
	// why. It is tried again at the next check.
	RepairFailed
	// SweepFailed: the rules of ended pinholes could not be deleted; Err
	// says why. It is tried again at the next sweep.
	SweepFailed
	// Expired: the Pinhole's deadline passed before anybody came or closed
	// it.
	Expired
	// Connected: the first packet of the Pinhole's one connection has come.
	Connected
	// Reopened: that connection did not come about, and another is admitted.
	Reopened
	// Carrying: the connection that came through the Pinhole goes on, and
	// Traffic tells what it has carried so far. It comes twice a second
	// where the kernel counts.
	Carrying
	// Disconnected: the connection that came through the Pinhole has ended.
	// Traffic tells what it carried.
	Disconnected
	// EventsLost: the kernel had more to report than was read in time. What
	// was missed has been looked up; Err says why if it could not be.
	EventsLost
)

var eventNames = [...]string{
	Drift: "drift", RepairFailed: "repair failed", SweepFailed: "sweep failed", Expired: "expired",
	Connected: "connected", Reopened: "reopened", Carrying: "carrying", Disconnected: "disconnected", EventsLost: "events lost",
}

// String returns the kind in words.
func (k EventKind) String() string {
	if k < Drift || k > EventsLost {
		return fmt.Sprintf("EventKind(%d)", uint8(k))
	}
	return eventNames[k]
}

// Event is something that a Manager did or met in the background.
type Event struct {
	Kind   EventKind
	Family rule.Family
	// Rules are the rules, chains and routes concerned, as iptables(8) and
	// ip(8) print them.
	Rules []string
	// Pinhole is the one concerned, of Expired, Connected, Reopened, Carrying
	// and Disconnected events.
	Pinhole Pinhole
	// Traffic is that of the connection, in a Carrying or Disconnected event.
	Traffic Traffic
	Err     error
}

// Traffic is what a data connection carried. Bytes include IP and TCP
// headers.
type Traffic struct {
	// Sent went from the host that connected, Received came back to it.
	Sent, Received uint64
	// Counted is false where the kernel does not count (sysctl
	// net.netfilter.nf_conntrack_acct) or the end of the connection was
	// missed.
	Counted bool
	// Duration is the time from the first packet to the last, as far as it
	// was seen: the end of a connection is noticed within half a second.
	Duration time.Duration
}

// State is where a pinhole is in its life.
type State uint8

// The states of a pinhole, in their order.
const (
	// Opening: promised, the kernel has not confirmed it yet.
	Opening State = iota + 1
	// Open: the kernel admits the connection.
	Open
	// Used: the one connection has come.
	Used
	// Closing: ended; its rules go with the next sweep.
	Closing
)

var stateNames = [...]string{Opening: "opening", Open: "open", Used: "used", Closing: "closing"}

// String returns the state in lower case.
func (s State) String() string {
	if s < Opening || s > Closing {
		return fmt.Sprintf("State(%d)", uint8(s))
	}
	return stateNames[s]
}

// MarshalText returns the state in lower case, for JSON and logs.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (s *State) UnmarshalText(text []byte) error {
	for state := Opening; state <= Closing; state++ {
		if string(text) == stateNames[state] {
			*s = state
			return nil
		}
	}
	return fmt.Errorf("%q is no state of a pinhole", text)
}

// Pinhole is one promise and how the kernel stands to it.
type Pinhole struct {
	expect.Expectation
	State State
}
