package alg

import (
	"context"
	"net"
	"net/netip"

	"ftpalg/alg/expect"
)

// Conn is one side of a control connection: a stream that can end in one
// direction (RFC 9293 section 3.6).
type Conn interface {
	net.Conn
	// CloseWrite sends the end of our stream and leaves the other direction
	// open.
	CloseWrite() error
}

// urgentConn is what a Conn offers when it can carry TCP urgent data, with which
// telnet clients mark an ABOR (RFC 959 section 4.1.3, RFC 854 "Synch").
type urgentConn interface {
	// AtMark reports whether the next byte to be read is the urgent one.
	AtMark() (bool, error)
	// WriteUrgent writes p and marks its last byte as urgent.
	WriteUrgent(p []byte) (int, error)
}

// aborter is what a Conn offers when it can end with a reset, so that the
// other side learns that the stream was cut and not closed.
type aborter interface {
	Abort() error
}

// lingerer is what a *net.TCPConn offers.
type lingerer interface {
	SetLinger(seconds int) error
}

// Kernel is all that the gateway asks of the operating system beyond reading
// and writing: plain values go in, so that a privileged process can stand
// behind it. Implementations are safe for concurrent use.
type Kernel interface {
	// Dial begins a session with the control connection to its server. The error wraps the
	// kernel's (a syscall.Errno) or that of ctx; the client is told which.
	Dial(ctx context.Context, d Dial) (Conn, error)
	// Open admits the data connection that e promises. When it returns nil
	// the kernel has confirmed: the line that announces it may leave. With any
	// error nothing is admitted, and the client gets a 425.
	Open(ctx context.Context, e expect.Expectation) error
	// Relay is Open for a data connection that this process carries: the
	// promised host is admitted to the DataPort.
	Relay(ctx context.Context, e expect.Expectation) (DataPort, error)
	// Connect makes a data connection of e.Session itself, to where a host of the
	// session waits: the server at e.Target if e.Mode is passive, else the client,
	// which is to see it come from e.Seen.
	Connect(ctx context.Context, e expect.Expectation) (Conn, error)
	// Close withdraws an expectation. It does not wait for the kernel, and
	// it is no error if the expectation has gone already.
	Close(id expect.ID)
	// End notes that a session for which Dial was called has ended, with all
	// that it was promised. It does not wait for the kernel. Afterwards Dial may
	// begin a session of this number again.
	End(session uint64)
}

// Dial says for whom, and how, to reach a server.
type Dial struct {
	Session uint64
	// Client is the client's connection, as the Acceptor yielded it.
	Client Conn
	// Named is the client's address where a balancer in between has named it,
	// else the zero AddrPort.
	Named  netip.AddrPort
	Server netip.AddrPort
	// Source is the address that the server shall see; the zero Addr leaves
	// the choice to the routing table.
	Source netip.Addr
}

// Acceptor yields the control connections of one listener.
type Acceptor interface {
	// Accept waits for the next one. Its error ends the listener, but for
	// those that pass (no descriptors, aborted by the peer).
	Accept() (Arrival, error)
	Close() error
	// Addr names the listener in logs.
	Addr() net.Addr
}

// Arrival is one accepted control connection.
type Arrival struct {
	Conn Conn
	// Reached is the address at which the client reached the server: the
	// original destination where the connection was intercepted.
	Reached netip.AddrPort
	// Client is the client's address where a balancer in between has named it;
	// otherwise it is the zero AddrPort, and Conn knows it.
	Client netip.AddrPort
	// Direct says that the client connected to a transparent listener
	// itself, or to this machine, so there is no server behind it: serving it
	// would make the gateway its own client.
	Direct bool
}
