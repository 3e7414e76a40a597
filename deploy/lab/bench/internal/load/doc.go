// Package load is both ends of the benchmarks: an FTP server that costs little
// and clients that keep it busy. Both run as processes of their own on a test
// host, started from the same program as the benchmark (Main).
//
// A client does one Job and prints its Result. Its sessions use blocking
// sockets, a thread each: two system calls to ask and to hear, none to wait.
// The server reads its control connections through package net, because
// thousands of them may be idle, and its data connections like the client.
// Each data connection has a new port, as with real servers and clients.
//
// Relay stands between them to show what a plain process in between costs.
//
// All speak IPv4 alone and trust each other: they are no example of FTP.
package load
