package top

import (
	"ftpalg/cmd/internal/api"
	"slices"
	"strings"
	"time"
)

// Snapshot is what the gateway answered at one time.
type Snapshot struct {
	At       time.Time
	Status   api.Status
	Sessions []api.Session
	// Detail is the session that Model.Shown asked for, nil if it has ended.
	Detail *api.SessionDetail
	// Err is why there was no answer.
	Err error
}

// mode is what keys are for.
type mode uint8

const (
	listing mode = iota // they move and sort
	typing              // they make the filter
	asking              // they answer whether to kill
	showing             // they move in the details of a session
)

// Model is what top knows and what its user has chosen.
type Model struct {
	now  Snapshot
	rate rates
	// width and height are those of the screen, in characters.
	width, height int

	order   int // index into columns
	reverse bool
	filter  string
	chosen  uint64 // session
	mode    mode
	back    mode // where the question was asked
	scroll  int  // first line of the details
	outcome string
}

// NewModel returns a Model that lists the sessions by their number.
func NewModel() *Model { return &Model{} }

// Resize says how large the screen is, in characters.
func (m *Model) Resize(width, height int) { m.width, m.height = width, height }

// Take takes what the gateway answers now.
func (m *Model) Take(s Snapshot) {
	if s.Err == nil {
		m.rate.take(m.now, s)
	}
	m.now = s
}

// Shown returns the session whose details are shown, or 0.
func (m *Model) Shown() uint64 {
	if m.mode == showing || m.mode == asking && m.back == showing {
		return m.chosen
	}
	return 0
}

// Say shows what came of an action until the next key.
func (m *Model) Say(outcome string) { m.outcome = outcome }

// rows returns the sessions that the filter lets through, in order.
func (m *Model) rows() []api.Session {
	rows := slices.DeleteFunc(slices.Clone(m.now.Sessions), func(s api.Session) bool { return !m.matches(&s) })
	compare := columns[m.order].compare
	slices.SortStableFunc(rows, func(a, b api.Session) int {
		if m.reverse {
			a, b = b, a
		}
		return compare(m, &a, &b)
	})
	return rows
}

// matches reports whether the filter's words are in the session's row.
func (m *Model) matches(s *api.Session) bool {
	var row strings.Builder
	for _, c := range columns {
		row.WriteString(c.text(m, s) + " ")
	}
	return strings.Contains(strings.ToLower(row.String()), strings.ToLower(m.filter))
}

// position returns the index of the chosen session among rows: that of the
// first if it is not there.
func (m *Model) position(rows []api.Session) int {
	return max(slices.IndexFunc(rows, func(s api.Session) bool { return s.Session == m.chosen }), 0)
}
