// Package rules applies in the kernel what a gateway decided: it redirects
// control connections to listeners, admits them, and opens one pinhole for each
// promised data connection. It knows connections and no protocol: the command
// that a promise is for is a word in a comment.
//
// A pinhole is either three rules of iptables or one expectation of connection
// tracking; which of them is settled at Start.
//
// # Rooms
//
// Package rule says which rules are needed, as values; iptables makes words of
// them, and is the path in which each pinhole has rules; expectation is the
// other path; follow follows data connections in both; ctnetlink speaks with
// connection tracking, policyroute with the routes; report holds errors, events
// and states. The Manager here puts them together.
//
// # Chains
//
// Everything stands in chains of our own, each with one jump from position
// one of the built-in chain whose name it bears, in iptables and ip6tables
// alike:
//
//	         ┌ mangle PREROUTING ─ FTPALG-PREROUTING   deliver: mark for the policy route
//	         │                                         TPROXY: to the listener, from the
//	         │                                         first packet on, by a connection mark
//	packet ──┼ nat PREROUTING ──── FTPALG-PREROUTING   REDIRECT: to the listener
//	         │                                         pinhole: DNAT, or mark the connection
//	         ├ filter INPUT ────── FTPALG-INPUT        services, intercepted connections,
//	         │                                         pinhole to this machine: ACCEPT
//	         ├ nat INPUT ───────── FTPALG-INPUT        pinhole to this machine: SNAT
//	         ├ filter FORWARD ──── FTPALG-FORWARD      pinhole: ACCEPT
//	         ├ filter OUTPUT ───── FTPALG-OUTPUT       connections that we make
//	         └ nat POSTROUTING ─── FTPALG-POSTROUTING  pinhole: SNAT
//
// The jumps let only TCP through, those of the filter and nat tables only new
// connections. A connection that is older than its interception is not
// intercepted. The chain in mangle exists while something is intercepted or
// delivered; so does the policy route: a rule that sends packets with our
// mark to a table whose one route calls every address local.
//
// # Pinholes as rules
//
// A pinhole's rules name both hosts and the port. The one in nat PREROUTING
// admits: it has a single token (hashlimit 1/day, burst 1), and packets of a
// connection meet the nat table once. The others follow it: they match the
// original destination that only its translation leaves behind, or its mark
// on the connection where nothing is translated. All rules end by themselves
// at the promise's deadline (match time, --datestop), so that a process that
// dies leaves no hole. They go as soon as the connection is established.
//
// # Pinholes as expectations
//
// The other path asks connection tracking itself to expect the connection.
// What that costs does not grow with what is open: 10 µs and two system
// calls.
//
//	   master entry: no packet belongs to it             expectation, 60 s at most
//	┌──────────────────────────────────────────────┐    ┌───────────────────────┐
//	│ original  secret:secret -> secret:secret     │◀───│ From:any -> To        │
//	│ reply     Target host:0 -> Seen:number       │    │ to the Target's port  │
//	│ helper ftp, our mark, TCP state NONE, 120 s  │    └───────────────────────┘
//	└──────────────────────────────────────────────┘                │ the first packet
//	         │ addresses, mark                                      ▼ uses it up
//	         └──────────────────────────────────▶ data connection From => Target as Seen
//	                                              RELATED, our mark: ACCEPT in FORWARD, INPUT
//
// One packet of netlink messages opens a pinhole: what is in its way is
// deleted, the master entry made or its life prolonged, the expectation made and
// its timer set. Master entries serve one promise after another; there are as many
// as promises were open at once, and one that idles ends by itself. No packet
// can belong to one (see there why); otherwise its sender could make the helper
// open any port. The timer is the kernel's: nobody needs to be alive
// for a promise to end.
//
// Two things can use up a promise without a connection. The entry of an
// earlier connection to the same target, whose source port comes up again,
// keeps the new one from being entered: it is deleted with the promise, if it
// has ended. And a server that remembers that connection itself refuses the
// first packet: then the promise is made anew for the next one.
//
// # Connections
//
// In both paths data connections are followed: conntrack events tell of the
// first packet, a look twice a second of the end, since the kernel tells of
// that only when it forgets the connection. Ten seconds after its end the
// entry is deleted, for it would fill the table for two minutes. Lost events
// are made good by a look at the whole table.
//
// # Ownership
//
// Ours are the chains with the prefix FTPALG-, the jumps to them, the policy
// rule and route with our priority, table and mark, and the master entries with
// their expectations, known by mark and form; and one table of nf_tables that
// ends with us (ctnetlink.Hold): while it stands, a firewall that empties its
// tables does not cut translated connections. Each rule carries a comment that
// begins with "ftpalg" and tells it from every other. Foreign rules, policies,
// chains and tables are never changed; a rule without our
// comment stays even in our chains for as long as they do. What was lost to
// a foreign flush is put back at the next check, but for pinholes whose
// connection has come by then, or may have. That a jump stands at position
// one is seen to when it is made, and not fought over later. A promise whose
// master entry somebody deleted is made again at once.
//
// # Work
//
// A Manager has one worker for each family, which makes all its calls of the
// tools, one after the other. Each call is a process, and where the machine
// is busy it takes tenths of a second: so what our own chains lack goes in as
// one transaction for each table, and only a jump, which stands in a foreign
// chain, alone. Promises that wait together are opened in one transaction.
// Closing only takes a note; ended promises are swept together. Whatever
// fails, the worker reads what the kernel has (iptables-save), compares it
// with plan and ledger, and removes the difference. The same comparison is made
// at every check, at Start and at Apply.
package rules
