package wire

import (
	"bytes"
	"fmt"
)

// Fault is the reason why two parties may read a line differently.
type Fault uint8

// The faults. Of several in one line, the first byte decides; TooLong comes
// before all others.
const (
	NoFault Fault = iota
	// BareLF is an LF that ends the line for some readers only.
	BareLF
	// BareCR is a CR that does not belong to the line's terminator.
	BareCR
	// NUL is a NUL byte, which RFC 2640 section 3.1 puts behind a CR of a
	// path name and which ends a C string.
	NUL
	// TooLong is a line longer than its splitter's Max.
	TooLong
)

var faultNames = [...]string{NoFault: "no fault", BareLF: "bare LF", BareCR: "bare CR", NUL: "NUL", TooLong: "line too long"}

// String returns the fault in words.
func (f Fault) String() string {
	if int(f) >= len(faultNames) {
		return fmt.Sprintf("Fault(%d)", uint8(f))
	}
	return faultNames[f]
}

// faultInside returns the fault of a line whose text, without its terminator,
// is given.
func faultInside(text []byte) Fault {
	i := bytes.IndexAny(text, "\n\r\x00")
	if i < 0 {
		return NoFault
	}
	switch text[i] {
	case '\n':
		return BareLF
	case '\r':
		return BareCR
	}
	return NUL
}
