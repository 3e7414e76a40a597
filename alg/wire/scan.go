package wire

// isDigit reports whether c is an ASCII digit, the only ones that count.
func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// isLetter reports whether c is an ASCII letter.
func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isBlank reports whether c is white space inside a line. RFC 959 section 5.3
// knows only SP; servers split at the others too.
func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\v' || c == '\f' }

// skipDigits returns the offset behind the digits that begin at or after at.
func skipDigits(line []byte, at, end int) int {
	for at < end && isDigit(line[at]) {
		at++
	}
	return at
}

// skipBlanks returns the offset behind the blanks that begin at at.
func skipBlanks(line []byte, at, end int) int {
	for at < end && isBlank(line[at]) {
		at++
	}
	return at
}

// nextDigit returns the offset of the first digit at or behind at, or end.
func nextDigit(line []byte, at, end int) int {
	for at < end && !isDigit(line[at]) {
		at++
	}
	return at
}

// The most digits that a number may have, leading zeros included.
const (
	octetDigits = 3
	portDigits  = 5
)

// decimal returns the value of one to most digits, and whether digits holds
// nothing else. With most at 9 or less it cannot overflow.
func decimal(digits []byte, most int) (value int, ok bool) {
	if len(digits) == 0 || len(digits) > most {
		return 0, false
	}
	for _, c := range digits {
		if !isDigit(c) {
			return 0, false
		}
		value = value*10 + int(c-'0')
	}
	return value, true
}

// portNumber returns the port that the span's digits name, 1 to 65535.
func portNumber(line []byte, span Span) (uint16, error) {
	value, ok := decimal(span.In(line), portDigits)
	if !ok || value < 1 || value > 65535 {
		return 0, numberError("port", line, span)
	}
	return uint16(value), nil
}

// numberError says why the span is no number in range: because it holds
// something else than digits, or too many or too high ones.
func numberError(what string, line []byte, span Span) error {
	if skipDigits(line, span.Start, span.End) == span.End && span.Len() > 0 {
		return syntaxError(what, OutOfRange, line, span.Start)
	}
	return syntaxError(what, NotNumber, line, span.Start)
}
