package main

import (
	"strings"
	"unicode/utf8"
)

// picture shows the three hosts of a scene with their addresses. The zero
// picture has none.
type picture struct {
	client, near, far, server string // near and far are the gateway's, as seen from the client
	left, middle, right       string // captions below the hosts
}

// Where things stand in a picture, in columns of pictureWidth. The gateway's
// two addresses share the space below its box.
const (
	pictureWidth = 77
	nearEnds     = 34
	farBegins    = 43
)

// String draws the picture, one line each for the boxes' upper edges, names
// and lower edges, the addresses, and the captions.
func (p picture) String() string {
	cable := strings.Repeat("─", 22)
	space := strings.Repeat(" ", 22)
	return strings.Join([]string{
		"┌────────┐" + space + " ┌─────────┐ " + space + "┌────────┐",
		"│ client ├" + cable + "─┤ gateway ├─" + cable + "┤ server │",
		"└────────┘" + space + " └─────────┘ " + space + "└────────┘",
		row(at{0, p.client}, until(nearEnds, p.near), at{farBegins, p.far}, until(pictureWidth, p.server)),
		row(at{0, p.left}, centred(p.middle), until(pictureWidth, p.right)),
	}, "\n") + "\n"
}

// at is a text and the column where it begins.
type at struct {
	column int
	text   string
}

func until(column int, text string) at { return at{column - utf8.RuneCountInString(text), text} }

func centred(text string) at { return until((pictureWidth+utf8.RuneCountInString(text)+1)/2, text) }

// row places texts, in ascending order of their columns, on one line.
func row(texts ...at) string {
	var line strings.Builder
	for _, t := range texts {
		line.WriteString(strings.Repeat(" ", max(0, t.column-utf8.RuneCountInString(line.String()))))
		line.WriteString(t.text)
	}
	return line.String()
}
