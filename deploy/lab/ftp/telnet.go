package ftp

// The telnet bytes that may precede a command (RFC 854, RFC 959 section 4.1.3).
const (
	telnetSE   = 0xf0 // the lowest command
	telnetWill = 0xfb
	telnetDont = 0xfe
	telnetIAC  = 0xff
)

// withoutTelnet returns the line without telnet commands; IAC IAC becomes the
// one byte that it stands for. An IAC may stand alone, where the command
// after it was lost as urgent data.
func withoutTelnet(line []byte) string {
	plain := make([]byte, 0, len(line))
	for i := 0; i < len(line); i++ {
		if line[i] != telnetIAC || i+1 == len(line) {
			plain = append(plain, line[i])
			continue
		}
		i++
		switch command := line[i]; {
		case command == telnetIAC, command < telnetSE:
			plain = append(plain, command)
		case command >= telnetWill && command <= telnetDont:
			i++ // its option
		}
	}
	return string(plain)
}
