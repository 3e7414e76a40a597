package wire

// CommandSnapshot is the state of a CommandSplitter between two calls of Next.
type CommandSnapshot struct {
	Framing    uint8 `json:"framing,omitempty"`
	Swallowing bool  `json:"swallowing,omitempty"`
	AfterCR    bool  `json:"after_cr,omitempty"`
}

// Snapshot returns the splitter's state, from which Restore goes on.
func (s *CommandSplitter) Snapshot() CommandSnapshot {
	return CommandSnapshot{Framing: uint8(s.framing), Swallowing: s.swallowing, AfterCR: s.afterCR}
}

// Restore puts the splitter into the state that Snapshot returned.
func (s *CommandSplitter) Restore(from CommandSnapshot) {
	s.framing, s.swallowing, s.afterCR = framing(from.Framing), from.Swallowing, from.AfterCR
}

// ReplySnapshot is the state of a ReplySplitter between two calls of Next.
type ReplySnapshot struct {
	CRLF     bool `json:"crlf,omitempty"`
	Adrift   bool `json:"adrift,omitempty"`
	Fragment bool `json:"fragment,omitempty"`
	AfterCR  bool `json:"after_cr,omitempty"`
}

// Snapshot returns the splitter's state, from which Restore goes on.
func (s *ReplySplitter) Snapshot() ReplySnapshot {
	return ReplySnapshot{CRLF: s.crlf, Adrift: s.adrift, Fragment: s.fragment, AfterCR: s.afterCR}
}

// Restore puts the splitter into the state that Snapshot returned.
func (s *ReplySplitter) Restore(from ReplySnapshot) {
	s.crlf, s.adrift, s.fragment, s.afterCR = from.CRLF, from.Adrift, from.Fragment, from.AfterCR
}

// ReaderSnapshot is the state of a ReplyReader between two lines. The zero
// ReaderSnapshot is outside of a multi-line reply.
type ReaderSnapshot struct {
	Open bool `json:"open,omitempty"`
	Code int  `json:"code,omitempty"`
}

// Snapshot returns the reader's state, from which Restore goes on.
func (r *ReplyReader) Snapshot() ReaderSnapshot { return ReaderSnapshot{Open: r.open, Code: r.code} }

// Restore puts the reader into the state that Snapshot returned.
func (r *ReplyReader) Restore(from ReaderSnapshot) { r.open, r.code = from.Open, from.Code }
