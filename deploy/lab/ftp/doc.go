// Package ftp is the lab's own FTP: a Server that serves files out of memory
// and a Client that says for each transfer what it was told. Both open their
// sockets through functions, so that these can be those of a test host.
//
// It shares no code with the gateway that it tests: where both misread a
// line, a test would not notice.
package ftp
