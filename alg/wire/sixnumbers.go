package wire

import "net/netip"

// ParsePORT parses the argument of PORT, h1,h2,h3,h4,p1,p2 (RFC 959 section
// 4.1.2). Blanks may stand around the commas and at both ends, nothing else
// may. Errors are *SyntaxError.
func ParsePORT(line []byte, arg Span) (HostPort, error) {
	arg = arg.trimBlanks(line)
	switch {
	case arg.Len() == 0:
		return HostPort{}, syntaxError("host-port", Missing, line, arg.Start)
	case !isDigit(line[arg.Start]):
		return HostPort{}, syntaxError("octet", NotNumber, line, arg.Start)
	}
	l := listAt(line, arg.Start, arg.End)
	if l.span.End < arg.End {
		return HostPort{}, syntaxError("octet", NotNumber, line, l.span.End)
	}
	return l.hostPort(line)
}

// Parse227 finds the host-port in a 227 reply, h1,h2,h3,h4,p1,p2 somewhere in
// its text (RFC 1123 section 4.1.2.6). Only six numbers with commas between
// them count, so any text may stand around, other digits included. Two such
// lists are an error, one of more than six is, and one that a reader could
// take for the end or beginning of something else. Errors are *SyntaxError.
func Parse227(line []byte) (HostPort, error) {
	text, err := replyText(line, Code227Passive)
	if err != nil {
		return HostPort{}, err
	}
	var best list
	for at := nextDigit(line, text.Start, text.End); at < text.End; at = nextDigit(line, at, text.End) {
		l := listAt(line, at, text.End)
		at = l.span.End
		switch {
		case l.count >= 6 && best.count >= 6:
			return HostPort{}, syntaxError("host-port", Ambiguous, line, l.span.Start)
		case l.count > best.count:
			best = l
		}
	}
	if best.count < 2 {
		return HostPort{}, syntaxError("host-port", Missing, line, text.Start)
	}
	if offset, joined := best.joined(line, text); joined {
		return HostPort{}, syntaxError("host-port", Joined, line, offset)
	}
	return best.hostPort(line)
}

// list is numbers with commas between them, and perhaps blanks around those.
type list struct {
	span  Span
	count int
	// first holds where the first six numbers stand.
	first [6]Span
}

// listAt returns the longest list that begins with the digit at at.
func listAt(line []byte, at, end int) list {
	l := list{span: Span{Start: at}}
	for {
		behind := skipDigits(line, at, end)
		if l.count < len(l.first) {
			l.first[l.count] = Span{at, behind}
		}
		l.count++
		l.span.End = behind
		comma := skipBlanks(line, behind, end)
		if comma == end || line[comma] != ',' {
			return l
		}
		at = skipBlanks(line, comma+1, end)
		if at == end || !isDigit(line[at]) {
			return l
		}
	}
}

// hostPort reads the list as h1,h2,h3,h4,p1,p2.
func (l list) hostPort(line []byte) (HostPort, error) {
	if l.count != len(l.first) {
		return HostPort{}, syntaxError("numbers", WrongCount, line, l.span.Start)
	}
	var n [6]byte
	for i, span := range l.first {
		value, ok := decimal(span.In(line), octetDigits)
		if !ok || value > 255 {
			return HostPort{}, syntaxError("octet", OutOfRange, line, span.Start)
		}
		n[i] = byte(value)
	}
	port := uint16(n[4])<<8 | uint16(n[5])
	if port == 0 {
		return HostPort{}, syntaxError("port", OutOfRange, line, l.first[4].Start)
	}
	addr := netip.AddrFrom4([4]byte(n[:4]))
	return HostPort{Addr: addr, Port: port, Span: l.span, form: sixNumbers}, nil
}

// joined returns the offset of what may belong to the list's first or last
// number, or to the list, although it is no part of it: a sign, a letter (hex
// digits, an exponent), another number behind a full stop, an empty field, or
// a digit of another script.
func (l list) joined(line []byte, text Span) (offset int, joined bool) {
	before, behind := line[text.Start:l.span.Start], line[l.span.End:text.End]
	if n := len(before); n > 0 {
		c := before[n-1]
		stop := c == '.' && n > 1 && isDigit(before[n-2])
		if isLetter(c) || c == '-' || c == '+' || c == ',' || stop || n >= 3 && isWideDigit(before[n-3:]) {
			return l.span.Start - 1, true
		}
	}
	if n := len(behind); n > 0 {
		c := behind[0]
		field := n > 1 && (c == ',' && !isBlank(behind[1]) || c == '.' && isDigit(behind[1]))
		if isLetter(c) || field || n >= 3 && isWideDigit(behind) {
			return l.span.End, true
		}
	}
	return 0, false
}

// isWideDigit reports whether text begins with one of the full-width digits
// U+FF10 to U+FF19 in UTF-8, which some readers take for digits.
func isWideDigit(text []byte) bool {
	return text[0] == 0xEF && text[1] == 0xBC && 0x90 <= text[2] && text[2] <= 0x99
}
