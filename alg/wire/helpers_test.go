package wire_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"ftpalg/alg/wire"
)

// marked takes the marks « and » out of a line and returns the span that they
// enclosed. A lone « marks an offset.
func marked(t *testing.T, s string) (line []byte, span wire.Span) {
	t.Helper()
	before, rest, ok := strings.Cut(s, "«")
	if !ok {
		t.Fatalf("%q has no mark", s)
	}
	inside, after, ok := strings.Cut(rest, "»")
	if !ok {
		return []byte(before + rest), wire.Span{Start: len(before), End: len(before)}
	}
	return []byte(before + inside + after), wire.Span{Start: len(before), End: len(before) + len(inside)}
}

// splitter is what both splitters are.
type splitter interface {
	Next(data []byte) (wire.Line, int)
}

// split feeds the stream to s in pieces, as a connection would, and returns
// the lines as text, one fact after the other, and what was left over. It
// fails if a line is not what the consumed bytes were.
func split(t *testing.T, s splitter, stream []byte, pieces func() int) (lines []string, rest string) {
	t.Helper()
	var held []byte
	for len(stream) > 0 {
		n := min(max(1, pieces()), len(stream))
		held, stream = append(held, stream[:n]...), stream[n:]
		for {
			line, n := s.Next(held)
			if line.Bytes != nil && line.Fault != wire.TooLong && !bytes.HasSuffix(held[:n], line.Bytes) {
				t.Fatalf("line %q is not the end of the consumed %q", line.Bytes, held[:n])
			}
			if line.Bytes != nil {
				lines = append(lines, describe(line))
			}
			held = held[n:]
			if line.Bytes == nil {
				break
			}
		}
	}
	return lines, string(held)
}

// describe returns a line with everything that is known of it.
func describe(l wire.Line) string {
	s := fmt.Sprintf("%q", l.Bytes)
	if !l.Begins {
		s = "…" + s
	}
	if !l.Ends {
		s += "…"
	}
	if l.Fault != wire.NoFault {
		s += " " + l.Fault.String()
	}
	return s
}

// whole and bytewise are the two extremes of cutting a stream.
func whole() int    { return 1 << 20 }
func bytewise() int { return 1 }
