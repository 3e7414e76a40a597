package wire

import "bytes"

// defaultMax is the longest line that a splitter takes if none is set, in
// bytes with the terminator: vsftpd's limit.
const defaultMax = 4096

// Line is one line of a control connection, or one fragment of a reply line
// that is too long to be held.
type Line struct {
	// Bytes is the line as it came, terminator included. It aliases the
	// caller's data. Nil means that there is no line.
	Bytes []byte
	// Fault says why two parties may read the line differently.
	Fault Fault
	// Begins and Ends say whether a reply's line begins and ends here. A line
	// in one piece has both; commands always come in one piece.
	Begins, Ends bool
}

// Text returns the line without its terminator; it aliases Bytes.
func (l Line) Text() []byte { return trimTerminator(l.Bytes) }

// trimTerminator returns line without the CRLF or LF at its end.
func trimTerminator(line []byte) []byte {
	text, ok := bytes.CutSuffix(line, []byte("\n"))
	if !ok {
		return line
	}
	return bytes.TrimSuffix(text, []byte("\r"))
}

// textSpan returns where the text of line stands: all but its terminator.
func textSpan(line []byte) Span { return Span{0, len(trimTerminator(line))} }

// longest returns the limit that a splitter's Max stands for.
func longest(limit int) int {
	if limit <= 0 {
		return defaultMax
	}
	return limit
}

// behind returns the offset behind the first terminator in data, or -1.
func behind(data []byte, terminator string) int {
	if i := bytes.Index(data, []byte(terminator)); i >= 0 {
		return i + len(terminator)
	}
	return -1
}

// endsInCR reports whether data ends in a CR, or, where data is empty, whether
// what came before it did.
func endsInCR(data []byte, before bool) bool {
	if len(data) == 0 {
		return before
	}
	return data[len(data)-1] == '\r'
}
