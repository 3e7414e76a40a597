package wire

// EPSVArg is what an EPSV command asks for (RFC 2428 section 3).
type EPSVArg uint8

// The arguments of EPSV.
const (
	// EPSVNone leaves the address family to the control connection.
	EPSVNone EPSVArg = iota
	// EPSVAll promises that no other command will set up a data connection
	// (RFC 2428 section 4).
	EPSVAll
	// EPSVIPv4 and EPSVIPv6 ask for an address family.
	EPSVIPv4
	EPSVIPv6
	// EPSVOther is anything else, another family included.
	EPSVOther
)

// ParseEPSV reads the argument of EPSV, in any case and with blanks around it.
func ParseEPSV(line []byte, arg Span) EPSVArg {
	text := arg.trimBlanks(line).In(line)
	switch {
	case len(text) == 0:
		return EPSVNone
	case equalFold(text, "ALL"):
		return EPSVAll
	case len(text) == 1 && text[0] == familyIPv4:
		return EPSVIPv4
	case len(text) == 1 && text[0] == familyIPv6:
		return EPSVIPv6
	}
	return EPSVOther
}
