package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// width is the most columns that a line may take.
const width = 80

// Where facts begin behind their labels, and rules behind their tables, in
// columns.
const (
	factColumn = 21
	ruleColumn = 12
)

// style is an ANSI escape sequence (ECMA-48, select graphic rendition).
type style string

const (
	plain style = ""
	bold  style = "\x1b[1m"
	faint style = "\x1b[2m"
	good  style = "\x1b[32m"
	bad   style = "\x1b[31m"
)

const reset = "\x1b[0m"

// page writes lines for people. After a failed write it writes nothing more.
type page struct {
	w     io.Writer
	color bool
	err   error
}

func (p *page) line(text string) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.w, text)
	}
}

// lines writes a block of text as it is, each line indented.
func (p *page) lines(indent int, s style, text string) {
	for line := range strings.Lines(text) {
		p.line(p.in(s, strings.Repeat(" ", indent)+strings.TrimRight(line, "\n")))
	}
}

// paragraph writes text broken between its words.
func (p *page) paragraph(indent int, text string) {
	p.hanging("", indent, plain, strings.Fields(text))
}

// fact writes a label and what is to be said of it.
func (p *page) fact(label string, s style, text string) {
	p.hanging("    "+label, factColumn, s, strings.Fields(text))
}

// rule writes one rule of a table, broken between its matches.
func (p *page) rule(r rule) {
	p.hanging("    "+r.table, ruleColumn, faint, matches(r.line, width-ruleColumn))
}

// hanging writes a label and, from a column on, units that are broken
// between two of them only.
func (p *page) hanging(label string, column int, s style, units []string) {
	for _, text := range fill(units, width-column) {
		p.line(fmt.Sprintf("%-*s", column, label) + p.in(s, text))
		label = ""
	}
}

// in returns text in a style where colour is allowed.
func (p *page) in(s style, text string) string {
	if !p.color || s == plain {
		return text
	}
	return string(s) + text + reset
}

// fill joins units with blanks to lines of at most a number of columns. A
// unit that is longer gets a line of its own.
func fill(units []string, columns int) (lines []string) {
	var line string
	for _, unit := range units {
		switch {
		case line == "":
			line = unit
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(unit) <= columns:
			line += " " + unit
		default:
			lines = append(lines, line)
			line = unit
		}
	}
	return append(lines, line)
}

// matches splits a line of `iptables -S` before each option of one letter, so
// that -m conntrack --ctstate NEW stays together, and what is then longer than
// a number of columns before its long options too.
func matches(line string, columns int) (units []string) {
	for _, match := range splitBefore(line, isShortOption) {
		if len(match) > columns {
			units = append(units, splitBefore(match, isLongOption)...)
		} else {
			units = append(units, match)
		}
	}
	return units
}

func isShortOption(word string) bool { return len(word) == 2 && word[0] == '-' }
func isLongOption(word string) bool  { return strings.HasPrefix(word, "--") }

func splitBefore(line string, begins func(word string) bool) (units []string) {
	for _, word := range strings.Fields(line) {
		if len(units) == 0 || begins(word) {
			units = append(units, word)
		} else {
			units[len(units)-1] += " " + word
		}
	}
	return units
}
