package capture

import (
	"time"

	"ftpalg/alg/wire"
)

// stream is the part of a side's stream that makes no whole line yet.
type stream struct {
	held []byte
	// reached is the highest frame since the last loss: what waited for a
	// segment was completed by it.
	reached uint64
	at      time.Time
	// torn says that what comes next may be the rest of a line.
	torn bool
}

// take implements reader.
func (s *Session) take(side int, data []byte, frame uint64, at time.Time) {
	if s.Opaque != 0 {
		s.encrypted(side, data)
		return
	}
	st := &s.streams[side]
	if frame > st.reached {
		st.reached, st.at = frame, at
	}
	st.held = append(st.held, data...)
	used := 0
	for s.Opaque == 0 {
		rest := st.held[used:]
		if st.torn && !s.beginsLine(side, rest) {
			n := behindLF(rest)
			if n == 0 {
				used += max(0, len(rest)-maxTorn)
				break
			}
			used += n
			st.torn = false
			continue
		}
		st.torn = false
		line, n := s.cut(side, rest)
		used += n
		if line.Bytes == nil {
			break
		}
		s.line(side, line, st.reached, st.at)
	}
	st.held = append(st.held[:0], st.held[used:]...)
}

// encrypted takes what comes once the connection is encrypted.
func (s *Session) encrypted(side int, data []byte) {
	if s.hello == nil {
		return
	}
	found, over := s.hello.take(side != s.client, data)
	if s.Protection = found; over {
		s.endHello()
	}
}

// endHello says that the rest of the connection shows nothing.
func (s *Session) endHello() {
	s.hello = nil
	s.conn.forget()
}

// cut cuts the next line off.
func (s *Session) cut(side int, data []byte) (wire.Line, int) {
	if side == s.client {
		return s.commands.Next(data)
	}
	return s.answers.Next(data)
}

// beginsLine reports whether what follows a loss is the beginning of a line: segments
// of a control connection mostly begin with one.
func (s *Session) beginsLine(side int, rest []byte) bool {
	n := behindLF(rest)
	if n == 0 {
		n = len(rest)
	}
	if side == s.client {
		return wire.ParseCommand(rest[:n]).Verb != ""
	}
	return replyLike(rest[:n])
}
