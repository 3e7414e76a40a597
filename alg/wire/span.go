package wire

// Span is a half-open range of byte offsets into a line.
type Span struct{ Start, End int }

// Len returns the number of bytes in the span.
func (s Span) Len() int { return s.End - s.Start }

// In returns the bytes of line that the span covers; it aliases line.
func (s Span) In(line []byte) []byte { return line[s.Start:s.End] }

// trimBlanks returns the span without the blanks at its ends.
func (s Span) trimBlanks(line []byte) Span {
	for s.Start < s.End && isBlank(line[s.Start]) {
		s.Start++
	}
	for s.Start < s.End && isBlank(line[s.End-1]) {
		s.End--
	}
	return s
}
