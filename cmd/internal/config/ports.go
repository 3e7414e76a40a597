package config

import (
	"fmt"
	"strconv"
	"strings"
)

// PortRange is a range of ports, both ends included.
type PortRange struct {
	First, Last uint16
}

// String returns the range as it is written, 50000-50999.
func (r PortRange) String() string {
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// Size returns how many ports the range holds, 0 for the zero value.
func (r PortRange) Size() int {
	if r.First == 0 {
		return 0
	}
	return int(r.Last) - int(r.First) + 1
}

// Contains reports whether port is in the range.
func (r PortRange) Contains(port uint16) bool {
	return r.First <= port && port <= r.Last
}

// Overlaps reports whether the ranges share a port.
func (r PortRange) Overlaps(o PortRange) bool {
	return r.First <= o.Last && o.First <= r.Last
}

// portRange is a range of ports: first-last, or one port.
func portRange() codec[PortRange] {
	return codec[PortRange]{parsePortRange, func(r PortRange) string {
		if r.Size() == 0 {
			return ""
		}
		return r.String()
	}, shape{says: "ports, such as 50000-50999", pattern: "^[0-9]+(-[0-9]+)?$"}}
}

func parsePortRange(text string) (PortRange, error) {
	a, b, ok := strings.Cut(text, "-")
	if !ok {
		b = a
	}
	first, errFirst := strconv.ParseUint(a, 10, 32)
	last, errLast := strconv.ParseUint(b, 10, 32)
	switch {
	case errFirst != nil || errLast != nil:
		return PortRange{}, fmt.Errorf("%s is not a range of ports; write it like 50000-50999", quote(text))
	case first == 0 || first > 65535 || last == 0 || last > 65535:
		return PortRange{}, fmt.Errorf("%s is out of range: ports are 1 to 65535", quote(text))
	case first > last:
		return PortRange{}, fmt.Errorf("%s is reversed; write %d-%d", quote(text), last, first)
	}
	return PortRange{uint16(first), uint16(last)}, nil
}
