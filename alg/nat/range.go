package nat

import "fmt"

// Range is a range of ports, both ends included. The zero Range is empty, and
// so is one that begins at 0 or ends before it begins.
type Range struct{ Low, High uint16 }

// Size returns the number of ports in r, 0 to 65535.
func (r Range) Size() int {
	if r.Low == 0 || r.Low > r.High {
		return 0
	}
	return int(r.High-r.Low) + 1
}

// Contains reports whether port is in r.
func (r Range) Contains(port uint16) bool {
	return r.Size() > 0 && r.Low <= port && port <= r.High
}

// String returns r as the configuration writes it: "50000-50999".
func (r Range) String() string { return fmt.Sprintf("%d-%d", r.Low, r.High) }
