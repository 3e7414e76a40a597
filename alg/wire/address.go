package wire

// HoldsAddress reports whether text holds what a reader could take for an IPv4
// address: four or more numbers with commas or full stops between them. Blanks
// may stand around commas, as in the host-port of a 227.
func HoldsAddress(text []byte) bool {
	const numbers = 4
	for at := nextDigit(text, 0, len(text)); at < len(text); at = nextDigit(text, at, len(text)) {
		count := 1
		at = skipDigits(text, at, len(text))
		for next, ok := nextNumber(text, at); ok; next, ok = nextNumber(text, at) {
			at = skipDigits(text, next, len(text))
			count++
		}
		if count >= numbers {
			return true
		}
	}
	return false
}

// nextNumber returns the offset of the digit that follows a comma or a full
// stop at at, if one does.
func nextNumber(text []byte, at int) (next int, ok bool) {
	next = skipBlanks(text, at, len(text))
	switch {
	case next == len(text):
		return 0, false
	case text[next] == ',':
		next = skipBlanks(text, next+1, len(text))
	case text[next] == '.' && next == at:
		next++
	default:
		return 0, false
	}
	return next, next < len(text) && isDigit(text[next])
}
