package load

import (
	"net/netip"
	"time"
)

// Task is what the sessions of a Job repeat.
type Task string

// The tasks.
const (
	// Transfer announces a data connection, asks for a file, reads it whole,
	// and hears of its end.
	Transfer Task = "transfer"
	// Announce asks for a data connection and does not use it.
	Announce Task = "announce"
	// NOOP says NOOP.
	NOOP Task = "noop"
	// Login connects, logs in and quits.
	Login Task = "login"
	// Wait does nothing: the idle sessions are all there is.
	Wait Task = "wait"
)

// Mode is the command that announces a data connection.
type Mode string

// The modes (RFC 959 section 4.1.2, RFC 2428).
const (
	PASV Mode = "PASV"
	EPSV Mode = "EPSV"
	PORT Mode = "PORT"
)

// Job is what one process of clients does.
type Job struct {
	// Server is where the clients connect.
	Server netip.AddrPort
	// User is their login name.
	User string
	Task Task
	Mode Mode
	// TLS says that control and data connections are under TLS (RFC 4217), and
	// that each data connection resumes its control connection's session.
	TLS bool
	// Sessions is how many clients work at the same time.
	Sessions int
	// Size is the length of the files in bytes.
	Size int64
	// Duration is how long the clients work. A Task that has begun is
	// finished; each session does it once at least.
	Duration time.Duration
	// Idle is how many further sessions are logged in before the work begins
	// and remain until the process ends. With Promised each has asked for a
	// data connection before (PASV) and never uses it.
	Idle     int
	Promised bool
}

// Result is what a Job came to.
type Result struct {
	// Done is how often the task was done in full, Failed how often not.
	Done, Failed int
	// FirstError is the error of the first failure.
	FirstError string
	// Elapsed is from the beginning of the work to its end.
	Elapsed time.Duration
	// P50 and P99 are of the times that the task took.
	P50, P99 time.Duration
	// Bytes is what was transferred in all.
	Bytes int64
	// Idle is how many idle sessions there are.
	Idle int
}

// Rate returns how often the task was done, a second.
func (r Result) Rate() float64 { return float64(r.Done) / r.Elapsed.Seconds() }
