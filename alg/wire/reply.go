package wire

// ReplyReader follows the replies of one server line by line, the multi-line
// ones of RFC 959 section 4.2 included. Its zero value awaits a reply.
type ReplyReader struct {
	open bool
	code int
}

// ReplyLine is what one line is in the replies of a server.
type ReplyLine struct {
	// Code is the code of the reply that the line belongs to, 0 for a Stray.
	Code int
	// Final says that the reply ends with this line, First that it begins.
	Final, First bool
	// Stray says that the line belongs to no reply.
	Stray bool
}

// Open reports whether a multi-line reply has begun and not ended.
func (r *ReplyReader) Open() bool { return r.open }

// Line judges the next line, given without its terminator, or the first
// fragment of an over-long one. Inside a multi-line reply only the same code
// and a blank, or the end of the line, end it: whatever else a line begins
// with is text. Outside, a line that does not begin with a code is stray.
func (r *ReplyReader) Line(text []byte) ReplyLine {
	code, more, ok := parseCode(text)
	if r.open {
		if ok && !more && code == r.code {
			r.open = false
		}
		return ReplyLine{Code: r.code, Final: !r.open}
	}
	if !ok {
		return ReplyLine{Stray: true}
	}
	r.open, r.code = more, code
	return ReplyLine{Code: code, Final: !more, First: true}
}

// parseCode reads a line's code, and whether the hyphen that announces more
// lines follows. It is not ok without three digits and, behind them, SP,
// hyphen or the end of the line.
func parseCode(text []byte) (code int, more, ok bool) {
	if len(text) < codeLength {
		return 0, false, false
	}
	code, ok = decimal(text[:codeLength], codeLength)
	switch {
	case !ok:
		return 0, false, false
	case len(text) == codeLength || text[codeLength] == ' ':
		return code, false, true
	case text[codeLength] == '-':
		return code, true, true
	}
	return 0, false, false
}

// codeLength is the number of digits of a reply code.
const codeLength = 3

// replyText returns where the text of a reply with this code stands in line.
func replyText(line []byte, code int) (Span, error) {
	whole := textSpan(line)
	if got, _, ok := parseCode(whole.In(line)); !ok || got != code {
		return Span{}, syntaxError("reply code", Missing, line, 0)
	}
	return Span{min(codeLength+1, whole.End), whole.End}, nil
}
