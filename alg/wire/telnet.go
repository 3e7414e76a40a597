package wire

import "bytes"

// Telnet bytes (RFC 854, "TELNET COMMAND STRUCTURE").
const (
	telnetIAC  = 0xFF // interpret as command; doubled, a data byte
	telnetDONT = 0xFE
	telnetWILL = 0xFB // WILL, WONT, DO, DONT: one byte of option follows
	telnetGA   = 0xF9
	telnetDM   = 0xF2 // the data mark of a Synch
	telnetNOP  = 0xF1 // NOP, DM, …, IP, …, GA: two bytes in all
)

// telnetLength returns the number of bytes of the whole telnet commands that
// text begins with: IAC IP and IAC DM before ABOR, a client's option requests.
func telnetLength(text []byte) int {
	n := 0
	for {
		one := telnetCommand(text[n:])
		if one == 0 {
			return n
		}
		n += one
	}
}

// abortPrefix returns the number of bytes before the verb of an ABOR whose
// telnet signal (IAC IP, IAC DM) has lost its end: clients send it as urgent
// data, of which the socket keeps one byte at a time. Servers take such an
// ABOR. It is 0 if the line is no such ABOR.
func abortPrefix(text []byte) int {
	n := telnetLength(text)
	if n == len(text) || text[n] != telnetIAC && text[n] != telnetDM {
		return 0
	}
	if !bytes.EqualFold(bytes.TrimSpace(text[n+1:]), []byte(ABOR)) {
		return 0
	}
	return n + 1
}

// telnetCommand returns the length of the telnet command that text begins
// with, or 0 if there is none or not all of one. A subnegotiation is none: FTP
// agrees on no option that has one (RFC 1123 section 4.1.2.12).
func telnetCommand(text []byte) int {
	if len(text) < 2 || text[0] != telnetIAC {
		return 0
	}
	switch c := text[1]; {
	case telnetNOP <= c && c <= telnetGA:
		return 2
	case telnetWILL <= c && c <= telnetDONT && len(text) > 2:
		return 3
	}
	return 0
}

// holdsIAC reports whether text holds an IAC that is not doubled.
func holdsIAC(text []byte) bool {
	for {
		i := bytes.IndexByte(text, telnetIAC)
		if i < 0 {
			return false
		}
		if i+1 == len(text) || text[i+1] != telnetIAC {
			return true
		}
		text = text[i+2:]
	}
}
