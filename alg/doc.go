// Package alg is the FTP application-layer gateway itself: it takes control
// connections, dials the servers behind them, carries the dialogue between
// the two, and has the kernel open each data connection that they announce.
//
// # The life of a session
//
//	client ── control ──▶ [ Acceptor ] ─ dialogue ─ rewrite ─ [ Kernel.Dial ] ── control ──▶ server
//	                                         │ expectation
//	                                         ▼
//	client ◀══ data ══════════ Kernel.Open: NAT and one pinhole ══════════ data ══▶ server
//
// An Acceptor yields a connection and the address that the client wanted to
// reach. The session dials the server, then two goroutines read, one from
// either side. Each line goes through the dialogue (package alg/dialogue),
// which says whether it passes, is refused, or announces a data connection.
// An announcement is mapped (Tell), opened by the kernel, and only
// then sent on with the host-port that the other side shall see: rule first,
// line second. File data never enters the process.
//
// # Where to read
//
//   - gateway.go: listeners, limits, the table of sessions
//   - session.go: one session from dial to end
//   - pump_client.go, pump_server.go: the two directions
//   - tell.go: from an announcement to what the far side is told
//   - promise.go: what stands open, until when
//   - ledger.go: data connections, joined with what the kernel tells of them
//   - observer.go, info.go, history.go: what others may know of all this
//   - kernel.go: all that is asked of the operating system
//
// Below it alg/wire knows what a line is and alg/nat how addresses and ports
// are mapped. This package opens no socket and runs no command itself.
package alg
