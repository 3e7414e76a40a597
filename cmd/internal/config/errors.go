package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Error is one thing that is wrong with a configuration file.
type Error struct {
	// File is the file's name.
	File string
	// Line and Column count from 1, Column in characters; 0 where unknown.
	Line, Column int
	// Path names the value, like nat[0].public; empty for the whole file.
	Path string
	// Problem is what is wrong, and what would be right where that is known.
	Problem string
	// order is the line in the whole of a folder's fragments.
	order int
}

// Error returns "file:line:column: path: problem", without the parts that are
// unknown.
func (e Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Column > 0 {
		fmt.Fprintf(&b, ":%d", e.Column)
	}
	if e.Path != "" {
		b.WriteString(": " + e.Path)
	}
	b.WriteString(": " + e.Problem)
	return b.String()
}

// List is everything that is wrong with a configuration file, in file order.
type List []Error

// Error returns one error a line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// sort puts the errors in file order; those of one place stay as they were
// found.
func (l List) sort() {
	slices.SortStableFunc(l, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.Column, b.Column))
	})
}
