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
// reach. The session dials the server; then two goroutines read, one from
// either side. Each line goes through the dialogue (package alg/dialogue),
// which says whether it passes, is refused, or announces a data connection.
// An announcement is translated, opened by the kernel, and only then sent on
// with the host-port that the other side shall see: rule first, line second.
// File data does not enter the process, but for what a relay carries.
//
// # The nouns
//
// An announcement is text: a PORT, a 227. Its translation is what the other
// side is told and where the kernel sends what arrives there. A pinhole is what
// the kernel admits: one connection, from one host, until a deadline. The data
// connection is that one connection, from its announcement until the kernel has
// told its end; a transfer is the use that a RETR or STOR makes of it.
//
// # One 227, file by file
//
//	pump_server.go   replies: read a line, ask the dialogue
//	dialogue         Reply: it answers a pending PASV, so it is an Announcement
//	pump_server.go   reply → announcePassive
//	announcement.go  openData
//	translation.go   Translate: addresses and text
//	datatable.go     offer: lease a port; open: Kernel.Open confirms (package rules)
//	dialogue         Announcement.Rewrite: the same line with another host-port
//	half.go          queue, and without the lock: flush
//
// # The files
//
//   - gateway.go: listeners, limits, the table of sessions
//   - session.go, servers.go: the life of one session, and which server it gets
//   - rates.go: what one client may do in a minute, and bans
//   - idle.go, park.go: how long it may be silent, and at rest between two reads
//   - snapshot.go, restore.go: a gateway at rest, written down for its successor
//   - half.go: one side of a session: its connection and its buffers
//   - pump_client.go, pump_server.go: the two directions, with pump.go for both
//   - announcement.go: from an announcement to an open data connection
//   - translation.go: addresses and text, without effects
//   - dataconn.go: one data connection and its states
//   - datatable.go, share.go, dataevents.go: all of them, and what is told of them
//   - transfer.go: what data connections are used for
//   - relay.go, relaycopy.go: data that passes through this process
//   - conversion.go, learned.go: data whose two sides are made in different modes
//   - proxyprotocol.go: who the client is where a balancer stands in between
//   - tls.go, tlsconn.go, securable.go, servertls.go, passports.go: TLS that ends here,
//     TLS with the server, and ports that are kept open where TLS passes
//   - observer.go, observers.go: who is told of all this
//   - info.go, counters.go, modeset.go, history.go, trace.go: what others may
//     know, ask for and log
//   - options.go: what a Gateway and its listeners are made of
//   - kernel.go: all that is asked of the operating system
//
// Below it alg/wire knows what a line is and alg/nat how addresses and ports
// are mapped. This package opens no socket and runs no command itself.
package alg
