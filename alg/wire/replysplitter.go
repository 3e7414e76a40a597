package wire

// ReplySplitter cuts the server's stream into lines. Every LF ends one:
// servers send banner files as they are, and a greeting must never wait for a
// CR that does not come. A line is without Fault only if readers who split at
// LF and readers who split at CRLF see the same one.
type ReplySplitter struct {
	// Max is the most bytes that are held for one line; 0 means 4096. A
	// longer line comes in fragments.
	Max int

	// crlf says that a CRLF has ended a line of the stream; adrift that the
	// latest line ended in an LF alone, so that readers who split at CRLF are
	// still reading it.
	crlf, adrift bool
	// fragment says that a line has begun and not ended; afterCR that its
	// last byte so far was a CR.
	fragment, afterCR bool
}

// Next consumes the first n bytes of data and returns the line or fragment in
// them. A nil line.Bytes means that data holds neither: the caller keeps it,
// always less than Max bytes, and calls again with more behind it. Where the
// stream is cut makes no difference.
//
// Every fragment of an over-long line has the Fault TooLong.
func (s *ReplySplitter) Next(data []byte) (line Line, n int) {
	end, most := behind(data, "\n"), longest(s.Max)
	switch {
	case end > most, end < 0 && len(data) >= most:
		line = Line{Bytes: data[:most], Fault: TooLong, Begins: !s.fragment}
		s.fragment, s.afterCR = true, data[most-1] == '\r'
		return line, most
	case end < 0:
		return Line{}, 0
	}
	line = Line{Bytes: data[:end], Fault: s.ended(data[:end]), Begins: !s.fragment, Ends: true}
	s.fragment, s.afterCR = false, false
	return line, end
}

// ended follows what the line's terminator does to both kinds of reader and
// returns the line's fault.
func (s *ReplySplitter) ended(line []byte) Fault {
	crlf := endsInCR(line[:len(line)-1], s.afterCR)
	same := crlf && !s.adrift || !crlf && !s.crlf
	if crlf {
		s.crlf = true
	}
	s.adrift = !crlf
	if s.fragment {
		return TooLong
	}
	if f := faultInside(trimTerminator(line)); f != NoFault {
		return f
	}
	if !same {
		return BareLF
	}
	return NoFault
}
