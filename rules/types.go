package rules

import "ftpalg/rules/rule"

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
