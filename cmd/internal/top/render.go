package top

import (
	"fmt"
	"strings"

	"ftpalg/alg"
	"ftpalg/cmd/internal/words"
)

// unlimited is a height that everything fits into.
const unlimited = 1 << 20

// Render returns the screen at a size in characters: height lines, each as
// wide as the screen.
func (m *Model) Render(width, height int) []Line {
	out := m.header(width)
	room := max(height-len(out)-1, 1)
	if m.Shown() != 0 {
		out = append(out, m.details(width, room)...)
	} else {
		out = append(out, m.table(width, room)...)
	}
	for len(out) < height-1 {
		out = append(out, line("", Normal))
	}
	return append(out[:max(height-1, 0)], m.footer(width))
}

// details renders the session that is shown, from the line that was scrolled
// to.
func (m *Model) details(width, height int) []Line {
	var all []Line
	for _, text := range m.detailLines() {
		style := Normal
		if !strings.HasPrefix(text, " ") {
			style = Strong
		}
		for _, part := range wrap(text, width) {
			all = append(all, line(part, style).fit(width))
		}
	}
	from := min(m.scroll, max(len(all)-height, 0))
	return all[from:min(from+height, len(all))]
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
func (m *Model) open(session uint64) *alg.SessionInfo {
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
