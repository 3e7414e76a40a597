package report

import (
	"errors"
	"ftpalg/rules/rule"
	"strings"
)

var (
	// ErrNotPermitted means that the process lacks CAP_NET_ADMIN (or, with
	// the legacy generation, CAP_NET_RAW or access to /run/xtables.lock).
	ErrNotPermitted = errors.New("not permitted: needs root, or CAP_NET_ADMIN and CAP_NET_RAW")
	// ErrUnavailable means that a program, a kernel module or an extension
	// is missing.
	ErrUnavailable = errors.New("not available on this machine")
	// ErrBusy means that another program held the xtables lock for too long.
	ErrBusy = errors.New("another program holds the xtables lock")
	// ErrFull means that a table of the kernel has no room: conntrack entries
	// (net.netfilter.nf_conntrack_max) or expectations
	// (net.netfilter.nf_conntrack_expect_max).
	ErrFull = errors.New("the kernel's table is full")
	// ErrInvalid means that the request itself cannot be expressed.
	ErrInvalid = rule.ErrInvalid
	// ErrEnded means that a promise was closed, or its deadline had passed,
	// before it was opened.
	ErrEnded = errors.New("the promise ended before it was opened")
	// ErrStopped means that the Manager is not running.
	ErrStopped = errors.New("not running")
)

// OpError is the failure of one operation on the packet filter.
type OpError struct {
	// Op is what was tried: "append", "restore", …
	Op string
	// Table, Chain and Rule are its object, as far as it has one.
	Table, Chain, Rule string
	// Err is the cause. Where it is known, it wraps one of this package's
	// errors beside the tool's own words.
	Err error
}

// Error returns the operation, its object and its cause.
func (e *OpError) Error() string {
	var b strings.Builder
	b.WriteString("rules: " + e.Op)
	for _, s := range []string{e.Table, e.Chain} {
		if s != "" {
			b.WriteString(" " + s)
		}
	}
	if e.Rule != "" {
		b.WriteString(": " + e.Rule)
	}
	return b.String() + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *OpError) Unwrap() error { return e.Err }
