package top

import (
	"strings"
	"unicode/utf8"
)

// Style is how a piece of text looks.
type Style uint8

// The styles.
const (
	Normal Style = iota
	Strong
	Faint
	Head   // the head of the table
	Chosen // the row that keys act on
	Good
	Warning
	Bad
)

// Span is a piece of text in one style.
type Span struct {
	Text  string
	Style Style
}

// Line is one line of the screen.
type Line []Span

// String returns the line without its styles.
func (l Line) String() string {
	var b strings.Builder
	for _, s := range l {
		b.WriteString(s.Text)
	}
	return b.String()
}

func line(text string, style Style) Line { return Line{{text, style}} }

// fit cuts the line, or fills it up with blanks, to a width in runes.
func (l Line) fit(width int) Line {
	out := make(Line, 0, len(l)+1)
	for _, s := range l {
		s.Text = cut(s.Text, width)
		width -= length(s.Text)
		out = append(out, s)
	}
	if width > 0 && len(l) > 0 {
		out = append(out, Span{strings.Repeat(" ", width), l[len(l)-1].Style})
	}
	return out
}

func length(s string) int { return utf8.RuneCountInString(s) }

// cut shortens text to a width in runes, and shows that it did.
func cut(s string, width int) string {
	if length(s) <= width {
		return s
	}
	if width <= 0 {
		return ""
	}
	return string([]rune(s)[:width-1]) + "…"
}

// wrap breaks text at blanks into lines of a width. What is continued stands
// further in than where the text began.
func wrap(text string, width int) (out []string) {
	begin := length(text) - length(strings.TrimLeft(text, " "))
	hang := strings.Repeat(" ", min(begin+4, width/2))
	for length(text) > width && width > 0 {
		runes := []rune(text)
		n := width
		for n > len(hang)+width/4 && runes[n] != ' ' {
			n--
		}
		if runes[n] != ' ' {
			n = width // no blank to break at
		}
		out = append(out, string(runes[:n]))
		text = hang + strings.TrimLeft(string(runes[n:]), " ")
	}
	return append(out, text)
}

// pad fills text up with blanks, on the left for numbers.
func pad(s string, width int, right bool) string {
	fill := strings.Repeat(" ", max(width-length(s), 0))
	if right {
		return fill + s
	}
	return s + fill
}

// apart puts two pieces of text at the two ends of a line.
func apart(left, right Line, width int) Line {
	room := width - length(right.String())
	if room <= length(left.String()) {
		return left.fit(width)
	}
	return append(left.fit(room), right...)
}
