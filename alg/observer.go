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
	// Rejected is told of a connection that did not become a session.
	Rejected func(listener string, client netip.AddrPort, why Rejection)
	// Refused is told of a line that was kept from the other side, or of an
	// announcement that the dialogue rejects.
	Refused func(Refusal)
	// Announced is told what came of an announcement that the dialogue
	// accepts.
	Announced func(Announced)
	// PinholeEnded is told once for each pinhole, when the kernel no longer
	// admits its connection.
	PinholeEnded func(PinholeEnd)
	// Opaque is told that a session has asked for encryption: passed means
	// that it can no longer be read, otherwise the policy refused it.
	Opaque func(session uint64, passed bool)
	// TransferEnded is told once for each transfer that began.
	TransferEnded func(Transfer)
	// Relayed is told how far a data connection is that passes through this
	// process: when it has come, from time to time, and when it has ended.
	Relayed func(Relayed)
	// Secured is told of each connection that has come under TLS whose other end
	// is the gateway.
	Secured func(Secured)
}

// Secured tells of a connection under TLS, with the client or with the server.
type Secured struct {
	Session uint64
	Side    Side // FromClient or FromServer
	// Data says that it is a data connection.
	Data bool
	TLS  TLSInfo
}

// Relayed tells of a data connection that passes through this process. Sent
// and Received are in bytes, as the promised host counts them.
type Relayed struct {
	Session        uint64
	Pinhole        expect.ID
	State          DataState // DataConnected or DataClosed
	Sent, Received uint64
}

// withDefaults fills what is nil with what does nothing.
func (o Observer) withDefaults() Observer {
	if o.Began == nil {
		o.Began = func(SessionInfo) {}
	}
	if o.Ended == nil {
		o.Ended = func(SessionInfo, Outcome, time.Duration) {}
	}
	if o.Rejected == nil {
		o.Rejected = func(string, netip.AddrPort, Rejection) {}
	}
	if o.Refused == nil {
		o.Refused = func(Refusal) {}
	}
	if o.Announced == nil {
		o.Announced = func(Announced) {}
	}
	if o.PinholeEnded == nil {
		o.PinholeEnded = func(PinholeEnd) {}
	}
	if o.Opaque == nil {
		o.Opaque = func(uint64, bool) {}
	}
	if o.TransferEnded == nil {
		o.TransferEnded = func(Transfer) {}
	}
	if o.Relayed == nil {
		o.Relayed = func(Relayed) {}
	}
	if o.Secured == nil {
		o.Secured = func(Secured) {}
	}
	return o
}

// Rejection says why a connection did not become a session. The values are stable: metrics
// use them.
type Rejection string

// The reasons to reject a connection.
const (
	RejectDraining    Rejection = "draining"     // the gateway is ending, or takes no new sessions
	RejectDirect      Rejection = "straight"     // it was meant for the gateway itself
	RejectLimit       Rejection = "limit"        // limits.sessions
	RejectBanned      Rejection = "banned"       // after too many failed logins
	RejectRate        Rejection = "rate"         // rates.connections
	RejectClientLimit Rejection = "client_limit" // limits.sessions_per_client
	RejectUnreachable Rejection = "unreachable"  // its server did not answer
	RejectHeader      Rejection = "proxy_header" // a balancer did not say whose it is
	RejectTLS         Rejection = "tls"          // TLS was to begin with it, and did not
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
	// Cause says why the Result is NotOpened.
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
	Replaced  Result = "replaced"  // another host-port
	Unchanged Result = "unchanged" // the host-port as it was announced
	NotOpened Result = "refused"   // nothing; the client got a 425
)

// Cause says why a data connection could not be opened. The values are
// stable: metrics use them.
type Cause string

// The causes.
const (
	NoCause         Cause = ""
	CausePool       Cause = "pool_exhausted" // no data port is free
	CauseShare      Cause = "client_share"   // limits.promises_per_client
	CauseRate       Cause = "rate"           // rates.promises
	CauseUnresolved Cause = "unresolved"     // the public address is not known
	CauseKernel     Cause = "kernel"         // the kernel did not open it
)

// PinholeEnd is the end of one pinhole.
type PinholeEnd struct {
	Session uint64
	Pinhole expect.ID
	Mode    expect.Mode
	End     End
}

// End says how a pinhole ended. The values are stable: metrics use them.
type End string

// The ends of a pinhole.
const (
	EndUsed     End = "used"     // its connection came
	EndExpired  End = "expired"  // no connection came in time
	EndReplaced End = "replaced" // by the session's next announcement
	EndClosed   End = "closed"   // with its session, or its command was refused
	EndFailed   End = "failed"   // the kernel did not open it
)
