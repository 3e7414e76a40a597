package config

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What the yaml library says: its messages carry a line at most, and none for
// the first line and for anchors.
const (
	messagePattern = `(?s)^(?:yaml: )?(?:line (\d+): )?(.*)$`
	anchorPattern  = `^unknown anchor '(.*)' referenced$`
	tabPattern     = `^found (?:a tab character|character that cannot start any token)`
)

// fromParser returns the messages in which the library counts lines from 0.
// They name the line where the broken list or mapping begins; the others, of
// its scanner, count from 1.
func fromParser() []string {
	return []string{
		"did not find expected <document start>",
		"did not find expected node content",
		"did not find expected key",
		"did not find expected '-' indicator",
		"did not find expected ',' or ']'",
		"did not find expected ',' or '}'",
		"found undefined tag handle",
		"found duplicate %YAML directive",
		"found incompatible YAML document",
		"found duplicate %TAG directive",
	}
}

// syntax turns an error of the yaml library into one with a position.
func (r *report) syntax(data []byte, err error) Error {
	message := regexp.MustCompile(messagePattern).FindStringSubmatch(err.Error())
	problem := message[2]
	e := Error{File: r.files[0], Line: 1, Problem: "not YAML: " + problem}
	if line, err := strconv.Atoi(message[1]); err == nil {
		e.Line = line
	}
	if slices.Contains(fromParser(), problem) {
		e.Problem = "not YAML, here or below: " + problem
		if message[1] != "" {
			e.Line++
		}
	}
	if anchor := regexp.MustCompile(anchorPattern).FindStringSubmatch(problem); anchor != nil {
		e.Line, e.Column = locateAlias(data, anchor[1])
		e.Problem = "the alias *" + shorten(anchor[1]) + " has no anchor before it"
	}
	if regexp.MustCompile(tabPattern).MatchString(problem) {
		e = mendTab(data, e)
	}
	e.order = e.Line
	return e
}

// locateAlias returns the line and column where the alias of that name first
// stands.
func locateAlias(data []byte, name string) (line, column int) {
	at := regexp.MustCompile(`\*` + regexp.QuoteMeta(name) + `(?:[^0-9A-Za-z_-]|$)`).FindIndex(data)
	if at == nil {
		return 0, 0
	}
	before := data[:at[0]]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}

// mendTab points e at the tab that indents its line or the next, if there is
// one.
func mendTab(data []byte, e Error) Error {
	lines := strings.Split(string(data), "\n")
	for i := e.Line; i <= min(e.Line+1, len(lines)); i++ {
		text := lines[i-1]
		indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
		if tab := strings.IndexByte(indent, '\t'); tab >= 0 {
			e.Line, e.Column = i, tab+1
			e.Problem = "a tab cannot indent; use blanks"
			return e
		}
	}
	return e
}
