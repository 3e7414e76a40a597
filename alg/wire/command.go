package wire

// Command is one line of the client, taken apart. All spans are offsets into
// the line that was parsed.
type Command struct {
	// Verb is the command in upper case, empty if unknown.
	Verb Verb
	// Name is the verb as it is written.
	Name Span
	// Arg is everything behind the one blank that follows the verb, up to the
	// terminator: blanks belong to a path name (RFC 3659 section 2.2). It is
	// empty if there is none.
	Arg Span
	// Telnet is the number of bytes of telnet commands before the verb.
	Telnet int
	// IAC says that verb or argument holds an IAC (0xFF) that is no doubled
	// data byte: some servers take such a telnet command out, others do not.
	IAC bool
}

// ParseCommand takes a line of the client apart (RFC 959 section 5.3).
//
// A lenient server obeys more than the grammar allows, and no command that it
// obeys may escape notice: so blanks may stand before the verb, and any blank
// ends it.
func ParseCommand(line []byte) Command {
	text := textSpan(line)
	telnet := max(telnetLength(text.In(line)), abortPrefix(text.In(line)))
	start := skipBlanks(line, telnet, text.End)
	end := start
	for end < text.End && !isBlank(line[end]) {
		end++
	}
	c := Command{
		Name:   Span{start, end},
		Arg:    Span{min(end+1, text.End), text.End},
		Telnet: telnet,
		IAC:    holdsIAC(line[telnet:text.End]),
	}
	c.Verb = verbOf(c.Name.In(line))
	return c
}
