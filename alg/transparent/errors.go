package transparent

import (
	"errors"
	"net"
)

// CapabilityError says that the process lacks a capability of
// capabilities(7). Err is the refusal of the kernel.
type CapabilityError struct {
	Capability string
	Err        error
}

// Error names the capability and what was refused.
func (e *CapabilityError) Error() string { return "needs " + e.Capability + ": " + e.Err.Error() }

// Unwrap returns the refusal of the kernel.
func (e *CapabilityError) Unwrap() error { return e.Err }

// cause strips what package net says about operation and addresses, because
// our own errors say it.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
