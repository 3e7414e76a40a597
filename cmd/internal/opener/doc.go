// Package opener is the privileged one of the two processes of `ftpalg run`.
// It opens: listening sockets, connections to servers, pinholes. It reads no
// FTP, and no byte that comes from a network. The other process, the worker
// (package daemon), reads all that, and has no privilege; it asks over a Link
// (package link) for what it needs.
//
//	┌─ opener, root ────────────────┐           ┌─ worker, user ftpalg ───────┐
//	│ configuration, rules          │  records  │ sessions, dialogue, NAT     │
//	│ listening sockets, connect(2) │ ◀───────▶ │ admin socket, status page   │
//	│ ledger: who may have what     │  sockets  │ metrics, transfer log       │
//	└───────────────────────────────┘           └─────────────────────────────┘
//
// A worker that is taken over can ask for anything. So the opener keeps a
// ledger of the sessions, each proved by the client's own connection, which
// comes along with the request and is asked for its two addresses; and every
// promise is made from the session's two hosts, the opener's own
// configuration, and two port numbers of the worker's: that of the target, at
// or above 1024, and that which is told, inside the range. For data that the
// worker relays the opener makes both sockets: one that listens to the promised host
// alone, and one that is connected to the target. Where a listener converts, it
// connects to either host itself, or listens for both.
//
// Where certificates come from an authority, a third process asks for them, without
// a privilege and with sockets that the opener has made (acme.go).
//
// # Privileges
//
//	capability             for what                                     where
//	CAP_NET_ADMIN          iptables, conntrack, policy route            package rules
//	                       transparent sockets: TPROXY, source: client  listen.go, connect.go, relay.go
//	CAP_NET_RAW            iptables-legacy                              package rules
//	CAP_NET_BIND_SERVICE   listening at port 21                         listen.go
//	CAP_SETUID, SETGID     the worker's user                            process.go
//	CAP_SETPCAP            the worker's bounding set                    process.go
//	CAP_KILL               a worker that does not end                   process.go
//
// # Life
//
// Run claims the network namespace, opens the sockets, installs the rules and
// starts the worker. When either process ends the other does: the worker at
// the end of the Link, the opener when the worker has exited; then it removes
// the rules.
//
// An upgrade starts the program once more. The successor gets all of that from
// this opener, and the sessions from its worker, whose bytes no opener reads:
// upgrade.go draws how, succeed.go is the other side. The ledger and the
// addresses of the listening sockets come from this opener's own memory.
package opener
