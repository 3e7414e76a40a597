package wire

import (
	"errors"
	"fmt"
)

// Kind is what is wrong with a host-port.
type Kind uint8

// The kinds.
const (
	// Missing: there is nothing that looks like a host-port.
	Missing Kind = iota + 1
	// WrongCount: there are too few or too many numbers or fields.
	WrongCount
	// NotNumber: something else than digits stands where a number should.
	NotNumber
	// OutOfRange: a number is too high, zero where that is none, or too long.
	OutOfRange
	// Joined: the host-port runs into a letter, a sign, or another number.
	Joined
	// Ambiguous: there are two host-ports.
	Ambiguous
	// BadDelimiter: the byte may not separate the fields.
	BadDelimiter
	// BadAddress: the text is no address of the family that it is said to be.
	BadAddress
	// UnknownFamily: the address family is a number that RFC 2428 section 2
	// does not define; it is to be answered with 522.
	UnknownFamily
)

var kindNames = [...]string{
	Missing:       "missing",
	WrongCount:    "too few or too many",
	NotNumber:     "not a number",
	OutOfRange:    "out of range",
	Joined:        "joined to other text",
	Ambiguous:     "ambiguous",
	BadDelimiter:  "not allowed",
	BadAddress:    "not of its family",
	UnknownFamily: "not supported",
}

// String returns the kind in words that follow what is wrong.
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// SyntaxError says why a host-port cannot be read.
type SyntaxError struct {
	// What names the part that is wrong: "octet", "port", "address", …
	What string
	// Kind is what is wrong with it.
	Kind Kind
	// Offset is where in the line it stands, in bytes from 0.
	Offset int
	// Excerpt is the line from Offset on, at most 24 bytes, as it came.
	Excerpt string
}

// excerptLength is the most of a line that an error shows, in bytes.
const excerptLength = 24

// Error returns one line of printable ASCII, fit for a reply and for a log.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s %s at byte %d: %+q", e.What, e.Kind, e.Offset, e.Excerpt)
}

// syntaxError returns the error for the part what of line at offset.
func syntaxError(what string, kind Kind, line []byte, offset int) error {
	text := trimTerminator(line)
	excerpt := text[min(offset, len(text)):]
	excerpt = excerpt[:min(excerptLength, len(excerpt))]
	return &SyntaxError{What: what, Kind: kind, Offset: offset, Excerpt: string(excerpt)}
}

// IsFamily reports whether err says that the address family of an EPRT is
// unknown (RFC 2428 section 2, reply 522).
func IsFamily(err error) bool {
	var e *SyntaxError
	return errors.As(err, &e) && e.Kind == UnknownFamily
}
