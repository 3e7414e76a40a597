package alg

import (
	"net/netip"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/alg/wire"
)

// Observer is told what happens to sessions, for metrics, logs of transfers
// and the like. Each callback may be nil. They are called from the sessions'
// goroutines, in part while a session's lock is held: they must return soon,
// must not call the Gateway, and must be safe for concurrent use. What
// happens once a line is not told but counted: see Gateway.Counters.
type Observer struct {
	// Began is told of a session whose server has been reached.
	Began func(SessionInfo)
	// Ended is told of the end of a session that began; it lasted for d.
	Ended func(s SessionInfo, o Outcome, d time.Duration)
	// TurnedAway is told of a connection that did not become a session.
	TurnedAway func(listener string, client netip.AddrPort, why Turn)
	// Refused is told of a line that was kept from the other side, or of an
	// announcement that the dialogue does not believe.
	Refused func(Refusal)
	// Announced is told what came of an announcement that the dialogue
	// believes.
	Announced func(Announced)
	// PromiseEnded is told once for each promise, when it holds no longer.
	PromiseEnded func(PromiseEnd)
	// Opaque is told that a session has asked for encryption: passed means
	// that it can no longer be read, otherwise the policy refused it.
	Opaque func(session uint64, passed bool)
	// TransferEnded is told once for each transfer that began.
	TransferEnded func(Transfer)
}

// orSilent fills what is nil with what does nothing.
func (o Observer) orSilent() Observer {
	if o.Began == nil {
		o.Began = func(SessionInfo) {}
	}
	if o.Ended == nil {
		o.Ended = func(SessionInfo, Outcome, time.Duration) {}
	}
	if o.TurnedAway == nil {
		o.TurnedAway = func(string, netip.AddrPort, Turn) {}
	}
	if o.Refused == nil {
		o.Refused = func(Refusal) {}
	}
	if o.Announced == nil {
		o.Announced = func(Announced) {}
	}
	if o.PromiseEnded == nil {
		o.PromiseEnded = func(PromiseEnd) {}
	}
	if o.Opaque == nil {
		o.Opaque = func(uint64, bool) {}
	}
	if o.TransferEnded == nil {
		o.TransferEnded = func(Transfer) {}
	}
	return o
}

// Turn says why a connection was turned away. The values are stable: metrics
// use them.
type Turn string

// The reasons to turn a connection away.
const (
	TurnDraining    Turn = "draining"     // the gateway is ending
	TurnStraight    Turn = "straight"     // it was meant for the gateway itself
	TurnLimit       Turn = "limit"        // limits.sessions
	TurnClientLimit Turn = "client_limit" // limits.sessions_per_client
	TurnUnreachable Turn = "unreachable"  // its server did not answer
)

// Refusal is one line that was kept from the other side.
type Refusal struct {
	Session uint64
	// Verb is the command; empty for one that is unknown and for a line of
	// the server.
	Verb   wire.Verb
	Reason dialogue.Reason
}

// Announced is what came of one announcement.
type Announced struct {
	Session uint64
	Mode    expect.Mode
	Result  Result
	// Cause says why the Result is Unpromised.
	Cause Cause
	// Opening is how long the kernel took to open the pinhole: the latency
	// that a client feels. It is 0 where the kernel was not asked.
	Opening time.Duration
}

// Result says what the other side of an announcement was told. The values are
// stable: metrics use them.
type Result string

// The results of an announcement.
const (
	Replaced   Result = "replaced"  // another host-port
	Unchanged  Result = "unchanged" // the host-port as it was announced
	Unpromised Result = "refused"   // nothing; the client got a 425
)

// Cause says why an announcement could not be promised. The values are
// stable: metrics use them.
type Cause string

// The causes.
const (
	NoCause         Cause = ""
	CausePool       Cause = "pool_exhausted" // no data port is free
	CauseUnresolved Cause = "unresolved"     // the public address is not known
	CauseKernel     Cause = "kernel"         // the kernel did not open it
)

// PromiseEnd is the end of one promise.
type PromiseEnd struct {
	Session uint64
	Pinhole expect.ID
	Mode    expect.Mode
	End     End
}

// End says how a promise ended. The values are stable: metrics use them.
type End string

// The ends of a promise.
const (
	EndUsed     End = "used"     // its connection came
	EndExpired  End = "expired"  // no connection came in time
	EndReplaced End = "replaced" // by the session's next announcement
	EndClosed   End = "closed"   // with its session, or its command was refused
	EndFailed   End = "failed"   // the kernel did not open it
)
