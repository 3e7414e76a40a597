// Package link carries the messages between the two processes of a gateway
// over a socketpair of sequenced packets (unix(7), SOCK_SEQPACKET). A message
// is a Record of fixed size, and may bring one file descriptor. Many records
// that are sent at once travel in one packet.
//
// The opener reads nothing but records from the worker. What it has to say at
// length, such as a list of pinholes, goes the other way only, as a file in
// memory (memfd_create(2)).
package link
