package rules

import (
	"ftpalg/rules/iptables"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
)

// What control connections need of the kernel; see package rule.
type (
	Static    = rule.Static
	Service   = rule.Service
	Intercept = rule.Intercept
	Outbound  = rule.Outbound
	Method    = rule.Method
	Family    = rule.Family
)

// The values of Method and Family.
const (
	TPROXY   = rule.TPROXY
	REDIRECT = rule.REDIRECT
	IPv4     = rule.IPv4
	IPv6     = rule.IPv6
)

// What a Manager reports; see package report.
type (
	Event     = report.Event
	EventKind = report.EventKind
	Pinhole   = report.Pinhole
	State     = report.State
	Traffic   = report.Traffic
	Tally     = report.Tally
	OpError   = report.OpError
	Health    = iptables.Health
)

// The kinds of events.
const (
	Drift        = report.Drift
	RepairFailed = report.RepairFailed
	SweepFailed  = report.SweepFailed
	Expired      = report.Expired
	Connected    = report.Connected
	Reopened     = report.Reopened
	Carrying     = report.Carrying
	Disconnected = report.Disconnected
	EventsLost   = report.EventsLost
)

// The states of a pinhole.
const (
	Opening = report.Opening
	Open    = report.Open
	Used    = report.Used
	Closing = report.Closing
)

// The errors that a Manager's wrap.
var (
	ErrNotPermitted = report.ErrNotPermitted
	ErrUnavailable  = report.ErrUnavailable
	ErrBusy         = report.ErrBusy
	ErrFull         = report.ErrFull
	ErrInvalid      = report.ErrInvalid
	ErrEnded        = report.ErrEnded
	ErrStopped      = report.ErrStopped
)
