// Package wrap breaks text between its words, for output to people.
package wrap

import (
	"strings"
	"unicode/utf8"
)

// Text returns text whose first line begins at a column, broken so that no
// line but for a single long word goes beyond width. Further lines are
// indented to the same column.
func Text(text string, column, width int) string {
	var b strings.Builder
	at := column
	for i, word := range strings.Fields(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case at+1+length > width:
			b.WriteString("\n" + strings.Repeat(" ", column))
			at = column
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += length
	}
	return b.String()
}
