// Package transparent makes the sockets of a gateway that stands between a
// client and a server without either of them knowing. Linux only.
//
//	            TPROXY or REDIRECT
//	client ─── c:p → s:21 ───▶ [ Listen ]   [ Dial ] ─── c:q → s:21 ───▶ server
//
// With TPROXY the packets arrive as they were sent: the listener is
// transparent, and the local address of an accepted connection is the one the
// client meant (kernel Documentation/networking/tproxy.rst). With REDIRECT the
// kernel has translated the address, and OriginalDestination asks for it. In
// the other direction Dial may use the client's own address as its source.
//
// The rules and routes that bring the packets here are not this package's
// work.
package transparent
