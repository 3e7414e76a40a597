package top

import (
	"cmp"
	"strings"
	"time"

	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/words"
)

// column is one column of the table.
type column struct {
	// title has the key that sorts by it as its one capital letter.
	title string
	// right aligns numbers.
	right bool
	// rank says when the column is left out for want of room: the highest
	// first, 0 never.
	rank    int
	text    func(*Model, *api.Session) string
	compare func(m *Model, a, b *api.Session) int
}

// columns in their order; the last takes the room that is left.
var columns = []column{
	{"Session", true, 0, func(_ *Model, s *api.Session) string { return number(s.Session) },
		by(func(_ *Model, s *api.Session) uint64 { return s.Session })},
	{"Listener", false, 5, func(_ *Model, s *api.Session) string { return s.Listener },
		by(func(_ *Model, s *api.Session) string { return s.Listener })},
	{"Client", false, 0, func(_ *Model, s *api.Session) string { return s.Client.String() },
		func(_ *Model, a, b *api.Session) int { return a.Client.Compare(b.Client) }},
	{"serVer", false, 1, func(_ *Model, s *api.Session) string { return server(s) },
		func(_ *Model, a, b *api.Session) int { return a.Server.Compare(b.Server) }},
	{"User", false, 3, func(_ *Model, s *api.Session) string { return cut(words.Plain(s.User), 16) },
		by(func(_ *Model, s *api.Session) string { return s.User })},
	{"Age", true, 4, func(m *Model, s *api.Session) string { return words.Duration(m.now.At.Sub(s.Started)) },
		by(func(m *Model, s *api.Session) time.Duration { return m.now.At.Sub(s.Started) })},
	{"Idle", true, 0, func(_ *Model, s *api.Session) string { return words.Duration(idle(s)) },
		by(func(_ *Model, s *api.Session) time.Duration { return idle(s) })},
	{"Bytes", true, 0, func(_ *Model, s *api.Session) string { return volume(s) },
		by(func(_ *Model, s *api.Session) uint64 { return carried(s) })},
	{"Rate", true, 2, func(m *Model, s *api.Session) string { return m.rateOf(s) },
		by(func(m *Model, s *api.Session) float64 { return m.rate.sessions[s.Session] })},
	{"Protected", false, 6, func(_ *Model, s *api.Session) string { return words.Protection(s) },
		by(func(_ *Model, s *api.Session) string { return words.Protection(s) })},
	{"sTate", false, 0, func(_ *Model, s *api.Session) string { return state(s) },
		by(func(_ *Model, s *api.Session) string { return state(s) })},
}

// by compares by a value of each session.
func by[T cmp.Ordered](value func(*Model, *api.Session) T) func(m *Model, a, b *api.Session) int {
	return func(m *Model, a, b *api.Session) int { return cmp.Compare(value(m, a), value(m, b)) }
}

// key returns the key that sorts by the column.
func (c column) key() Key {
	i := strings.IndexFunc(c.title, func(r rune) bool { return r >= 'A' && r <= 'Z' })
	return Key(c.title[i] | 0x20)
}

// server returns the server's address, with its port if that is not 21.
func server(s *api.Session) string {
	if s.Server.Port() == 21 {
		return s.Server.Addr().String()
	}
	return s.Server.String()
}

func idle(s *api.Session) time.Duration {
	return time.Duration(s.Idle * float64(time.Second)).Round(time.Second)
}

func volume(s *api.Session) string {
	if !s.Counted {
		return "-"
	}
	return words.Bytes(carried(s))
}

func (m *Model) rateOf(s *api.Session) string {
	r := m.rate.sessions[s.Session]
	if r < 1 {
		return "-"
	}
	return words.Bytes(uint64(r)) + "/s"
}

// state says what a session does.
func state(s *api.Session) string {
	return cmp.Or(words.Transfer(s), s.State)
}
