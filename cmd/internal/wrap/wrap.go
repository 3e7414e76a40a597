// Package wrap breaks text between its words, for output to people.
package wrap

import (
	"strings"
	"unicode/utf8"
)

// Text returns text whose first line begins at a column, broken between words
// so that no line but for a single long word goes beyond width. Further lines
// are indented to the same column.
func Text(text string, column, width int) string { return fill(strings.Fields(text), column, width) }

// Rule is Text for an iptables rule, broken only before its options.
func Rule(rule string, column, width int) string {
	var options []string
	for _, word := range strings.Split(rule, " ") {
		if strings.HasPrefix(word, "-") || len(options) == 0 {
			options = append(options, word)
		} else {
			options[len(options)-1] += " " + word
		}
	}
	return fill(options, column, width)
}

func fill(units []string, column, width int) string {
	var b strings.Builder
	at := column
	for i, unit := range units {
		length := utf8.RuneCountInString(unit)
		switch {
		case i == 0:
		case at+1+length > width:
			b.WriteString("\n" + strings.Repeat(" ", column))
			at = column
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(unit)
		at += length
	}
	return b.String()
}
