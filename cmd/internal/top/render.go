package top

import (
	"fmt"
	"strings"

	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/words"
)

// unlimited is a height that everything fits into.
const unlimited = 1 << 20

// Render returns the screen: as many lines as it is high, each as wide as it
// is.
func (m *Model) Render() []Line {
	out := m.header(m.width)
	if m.Shown() != 0 {
		all := m.details()
		from := min(m.scroll, m.lowest(len(all)))
		out = append(out, all[from:min(from+m.room(), len(all))]...)
	} else {
		out = append(out, m.table(m.width, m.room())...)
	}
	for len(out) < m.height-1 {
		out = append(out, line("", Normal))
	}
	return append(out[:max(m.height-1, 0)], m.footer(m.width))
}

// room is how many lines there are between header and footer.
func (m *Model) room() int { return max(m.height-len(m.header(m.width))-1, 1) }

// lowest returns how far some lines can be scrolled.
func (m *Model) lowest(lines int) int { return max(lines-m.room(), 0) }

// details renders the session that is shown.
func (m *Model) details() (all []Line) {
	for _, text := range m.detailLines() {
		style := Normal
		if !strings.HasPrefix(text, " ") {
			style = Strong
		}
		for _, part := range wrap(text, m.width) {
			all = append(all, line(part, style).fit(m.width))
		}
	}
	return all
}

func (m *Model) detailLines() []string {
	switch {
	case m.now.Detail != nil && m.now.Detail.Session == m.chosen:
		return words.Session(*m.now.Detail, m.now.At)
	case m.now.Err != nil || m.open(m.chosen) != nil:
		return []string{fmt.Sprintf("session %d", m.chosen)}
	}
	return []string{fmt.Sprintf("session %d has ended", m.chosen)}
}

// open returns a session that is open, or nil.
func (m *Model) open(session uint64) *api.Session {
	for i := range m.now.Sessions {
		if m.now.Sessions[i].Session == session {
			return &m.now.Sessions[i]
		}
	}
	return nil
}

// footer says what keys do, or what is going on.
func (m *Model) footer(width int) Line {
	switch {
	case m.mode == typing:
		return Line{{"filter: ", Strong}, {m.filter + "_", Normal}, {"   Enter keeps it, Esc drops it", Faint}}.fit(width)
	case m.mode == asking:
		return line(m.question(), Warning).fit(width)
	case m.outcome != "":
		return line(m.outcome, Strong).fit(width)
	case m.mode == showing:
		return line("↑↓ scroll  Esc back  k kill  q quit", Faint).fit(width)
	}
	left := Line{}
	if m.filter != "" {
		left = Line{{"filter: " + m.filter + "   ", Strong}}
	}
	return append(left, Span{"↑↓ select  Enter details  k kill  / filter  q quit   capital letter: sort", Faint}).fit(width)
}

func (m *Model) question() string {
	who := ""
	if s := m.open(m.chosen); s != nil {
		who = " of " + s.Client.String()
	}
	return fmt.Sprintf("end session %d%s? y ends it, any other key keeps it", m.chosen, who)
}
