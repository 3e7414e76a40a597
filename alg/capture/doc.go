// Package capture reads FTP out of recorded packets: frames become segments,
// segments two ordered streams, streams the same dialogue that the live path
// runs, and announcements the data connections that belong to them.
//
//	file ── Reader ──▶ Frame ── decoder ──▶ segment ── connection ──▶ lines ── session ──▶ Announcement
//	                                           │                                              ▲
//	                                           └── every other connection ── claimed by ──────┘
//
// It is the only importer of gopacket, whose decoders take the frames apart.
// The file formats are read here, since gopacket's readers keep eight bits of
// a link type's sixteen and believe what a file says about its lengths. The
// streams are put together here, since the number of the frame that completed
// a line is what is asked for.
//
// # Order
//
// The lines of both sides are taken in the order in which the peers saw them:
// what a segment acknowledges comes before what it carries, in whatever order
// the frames were recorded. What was acknowledged and is not in the capture is
// given up after a while, and said to be missing.
//
// # Bounds
//
// Nothing grows with the capture: connections, held bytes, fragments and
// announcements that wait for their connection are bounded, and the oldest
// idle one goes first.
package capture
