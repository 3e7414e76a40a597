// Package dialogue follows one FTP control connection, line by line, and
// decides what must happen to each line. It is pure: no sockets, no kernel, no
// clock. The live gateway, the replay of a capture and the fuzzers all run
// this same engine.
//
// # Commands and replies
//
// Every command of the client is remembered until its final reply has come
// (RFC 959 section 5.4), in order, so that any number may be in flight. A 227
// or 229 announces a data connection only as the reply to a PASV or EPSV.
// Servers skip replies, send one too many, or use another code than they
// should; so a 227 or 229 answers the oldest PASV or EPSV that is pending,
// whatever stands before it, and a code that does not fit still ends the command
// at the head. What the gateway refuses never reaches the server; its answer
// waits its turn in the same queue, so that the client can count replies.
//
// # Announcements
//
// A line that announces a data connection comes back as an Announcement with a
// number. The caller opens the pinhole and sends the line on with the host-port
// that the other side shall see, or refuses it. Later verdicts say which
// announcements have ended: refused by the server, replaced by the next one,
// or used by a finished transfer.
//
// Only the gateway reads a reply that announces, and it writes the line anew, so
// such a reply is served in any framing. No positive reply to PASV or EPSV passes that
// could show the server's inside address.
//
// Between a client and a server of different address families each command
// leaves as that of the server's family, and each reply as what the client has
// asked for; the same where the policy has the server always passive, or always
// active (convert.go).
//
// # The end of reading
//
// After an AUTH that the server accepted the connection is opaque: it is
// copied and no longer read (RFC 6384 section 5).
package dialogue
