package iptables

import (
	"ftpalg/rules/report"
	"strings"
)

// causes maps what the tools say, in both generations, to what it means.
// The order matters: a lock file that may not be opened is a matter of
// permission, although the lock is named.
func causes() []struct {
	says  string
	means error
} {
	return []struct {
		says  string
		means error
	}{
		{"you must be root", report.ErrNotPermitted},
		{"Permission denied", report.ErrNotPermitted},
		{"Operation not permitted", report.ErrNotPermitted},
		{"holding the xtables lock", report.ErrBusy},
		{"Couldn't load", report.ErrUnavailable},
		{"do you need to insmod", report.ErrUnavailable},
		{"needs to be upgraded", report.ErrUnavailable},
		{"missing kernel module", report.ErrUnavailable},
		{"Failed to initialize nft", report.ErrUnavailable},
		{"not supported", report.ErrUnavailable},
	}
}

// toolError makes an error of what one of the tools wrote to standard error.
func toolError(stderr string, err error) error {
	said := strings.Join(strings.FieldsFunc(stderr, func(r rune) bool { return r == '\n' }), "; ")
	if said == "" {
		said = err.Error()
	}
	for _, c := range causes() {
		if strings.Contains(said, c.says) {
			return &saidError{said, c.means}
		}
	}
	return &saidError{said, err}
}

// saidError joins a tool's own words with their meaning.
type saidError struct {
	said  string
	means error
}

func (e *saidError) Error() string {
	if e.means.Error() == e.said {
		return e.said
	}
	return e.means.Error() + ": " + e.said
}

func (e *saidError) Unwrap() error { return e.means }
