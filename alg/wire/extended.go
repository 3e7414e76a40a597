package wire

import (
	"bytes"
	"net/netip"
)

// The address families of RFC 2428 section 2, as they are written.
const (
	familyIPv4 = '1'
	familyIPv6 = '2'
)

// ParseEPRT parses the argument of EPRT, <d>family<d>address<d>port<d> (RFC
// 2428 section 2). Blanks may stand at both ends. The delimiter is any
// printable ASCII character that cannot be part of an address. An address with
// a zone, or an IPv4 address written as IPv6, is none. Errors are
// *SyntaxError; IsFamily tells an unknown family.
func ParseEPRT(line []byte, arg Span) (HostPort, error) {
	arg = arg.trimBlanks(line)
	if arg.Len() == 0 {
		return HostPort{}, syntaxError("host-port", Missing, line, arg.Start)
	}
	delimiter := line[arg.Start]
	if !separates(delimiter) {
		return HostPort{}, syntaxError("delimiter", BadDelimiter, line, arg.Start)
	}
	fields, ok := threeFields(line, arg, delimiter)
	if !ok {
		return HostPort{}, syntaxError("fields", WrongCount, line, arg.Start)
	}
	addr, err := address(line, fields[0], fields[1])
	if err != nil {
		return HostPort{}, err
	}
	port, err := portNumber(line, fields[2])
	if err != nil {
		return HostPort{}, err
	}
	span := Span{fields[0].Start, fields[2].End}
	return HostPort{Addr: addr, Port: port, Span: span, form: fullExtended}, nil
}

// separates reports whether c may delimit the fields of an EPRT.
func separates(c byte) bool {
	hex := isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f'
	return '!' <= c && c <= '~' && !hex && c != '.' && c != ':' && c != '%'
}

// threeFields returns what stands between the four delimiters of arg, and
// whether there are four with one of them at each end.
func threeFields(line []byte, arg Span, delimiter byte) (fields [3]Span, ok bool) {
	at := arg.Start + 1
	for i := range fields {
		n := bytes.IndexByte(line[at:arg.End], delimiter)
		if n < 0 {
			return fields, false
		}
		fields[i] = Span{at, at + n}
		at += n + 1
	}
	return fields, at == arg.End
}

// address reads an EPRT's address, which must be of the family it names.
func address(line []byte, family, text Span) (netip.Addr, error) {
	number := family.In(line)
	switch {
	case len(number) == 0 || skipDigits(number, 0, len(number)) < len(number):
		return netip.Addr{}, syntaxError("address family", NotNumber, line, family.Start)
	case len(number) > 1 || number[0] != familyIPv4 && number[0] != familyIPv6:
		return netip.Addr{}, syntaxError("address family", UnknownFamily, line, family.Start)
	}
	addr, err := netip.ParseAddr(string(text.In(line)))
	if err != nil || addr.Is4() != (number[0] == familyIPv4) || addr.Zone() != "" || addr.Is4In6() {
		return netip.Addr{}, syntaxError("address", BadAddress, line, text.Start)
	}
	return addr, nil
}

// Parse229 finds the port in a 229 reply, <d><d><d>port<d> somewhere in its
// text (RFC 2428 section 3). The delimiter is any printable ASCII character
// but a digit; parentheses around are usual and not needed. Two such ports
// are an error. The Addr of the result is the zero Addr, since the address is
// that of the control connection. Errors are *SyntaxError.
func Parse229(line []byte) (HostPort, error) {
	text, err := replyText(line, Code229Extended)
	if err != nil {
		return HostPort{}, err
	}
	var found Span
	for at := nextDigit(line, text.Start, text.End); at < text.End; at = nextDigit(line, at, text.End) {
		digits := Span{at, skipDigits(line, at, text.End)}
		at = digits.End
		if !delimited(line, text, digits) {
			continue
		}
		if found.Len() > 0 {
			return HostPort{}, syntaxError("port", Ambiguous, line, digits.Start)
		}
		found = digits
	}
	if found.Len() == 0 {
		return HostPort{}, syntaxError("port", Missing, line, text.Start)
	}
	port, err := portNumber(line, found)
	if err != nil {
		return HostPort{}, err
	}
	return HostPort{Port: port, Span: found, form: portOnly}, nil
}

// delimited reports whether exactly three delimiters stand before the digits
// and one of the same kind behind. Delimiters that are opening parentheses may
// be four: the first opens the whole.
func delimited(line []byte, text, digits Span) bool {
	if digits.End == text.End {
		return false
	}
	d := line[digits.End]
	before := 0
	for at := digits.Start - 1; at >= text.Start && line[at] == d; at-- {
		before++
	}
	return '!' <= d && d <= '~' && (before == 3 || before == 4 && d == '(')
}
