package lab

import (
	"errors"
	"fmt"
)

// ErrClosed is returned for everything that is asked of a closed Network.
var ErrClosed = errors.New("the lab is closed")

// UnavailableError says that this process cannot make test hosts here, and
// what it would need.
type UnavailableError struct {
	// Cause is what the kernel answered.
	Cause error
}

// Error names what is missing before the kernel's own words.
func (e *UnavailableError) Error() string {
	return fmt.Sprintf("test hosts need root (CAP_SYS_ADMIN, CAP_NET_ADMIN), a kernel with network namespaces (CONFIG_NET_NS) and a writable %s: %v", namedDir, e.Cause)
}

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Cause }
