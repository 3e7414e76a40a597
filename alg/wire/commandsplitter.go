package wire

// CommandSplitter cuts the client's stream into lines. The terminator of the
// first line decides for all: after a CRLF only CRLF ends a line, after an LF
// alone every LF does. So a line with a stray LF in it stays one line, with
// one Fault and one refusal, whatever a server would make of it.
type CommandSplitter struct {
	// Max is the longest line in bytes, terminator included; 0 means 4096.
	Max int

	framing framing
	// swallowing says that the rest of an over-long line is still to come;
	// afterCR that its last byte so far was a CR.
	swallowing, afterCR bool
}

// framing is what ends a line of the client.
type framing uint8

const (
	undecided framing = iota
	byCRLF
	byLF
)

// Next consumes the first n bytes of data and returns the line in them.
// A nil line.Bytes means that data holds no complete line behind them: the
// caller keeps data[n:], always less than Max bytes, and calls again with more
// behind it. Where the stream is cut makes no difference.
//
// A line longer than Max comes once, as its first Max bytes with the Fault
// TooLong; the rest, up to its terminator, is consumed with what follows.
func (s *CommandSplitter) Next(data []byte) (line Line, n int) {
	if s.swallowing {
		n = s.swallow(data)
		if s.swallowing {
			return Line{}, n
		}
	}
	rest, most := data[n:], longest(s.Max)
	end := s.end(rest, false)
	switch {
	case end > most, end < 0 && len(rest) >= most:
		s.swallowing, s.afterCR = true, rest[most-1] == '\r'
		return Line{Bytes: rest[:most], Fault: TooLong, Begins: true, Ends: true}, n + most
	case end < 0:
		return Line{}, n
	}
	s.decide(rest[:end], false)
	return Line{Bytes: rest[:end], Fault: s.fault(rest[:end]), Begins: true, Ends: true}, n + end
}

// swallow returns how much of data belongs to the over-long line.
func (s *CommandSplitter) swallow(data []byte) int {
	end := s.end(data, s.afterCR)
	if end < 0 {
		s.afterCR = endsInCR(data, s.afterCR)
		return len(data)
	}
	s.decide(data[:end], s.afterCR)
	s.swallowing = false
	return end
}

// end returns the length of the first line in data with its terminator, or -1
// if data holds no terminator. The argument afterCR says that a CR came before
// data.
func (s *CommandSplitter) end(data []byte, afterCR bool) int {
	if s.framing != byCRLF {
		return behind(data, "\n")
	}
	if afterCR && len(data) > 0 && data[0] == '\n' {
		return 1
	}
	return behind(data, "\r\n")
}

// decide takes the framing from the first line, given with its LF.
func (s *CommandSplitter) decide(line []byte, afterCR bool) {
	if s.framing != undecided {
		return
	}
	s.framing = byLF
	if endsInCR(line[:len(line)-1], afterCR) {
		s.framing = byCRLF
	}
}

// fault returns the fault of a line, given with its terminator.
func (s *CommandSplitter) fault(line []byte) Fault {
	if s.framing == byCRLF {
		return faultInside(line[:len(line)-2])
	}
	return faultInside(line[:len(line)-1])
}
