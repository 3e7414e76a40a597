package config

import (
	"bytes"
	"errors"
	"io"
	"unicode"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// document returns the root of the one document in data, or reports why there
// is none.
func (r *report) document(data []byte) (*yaml.Node, bool) {
	if len(data) > maxBytes {
		r.add("", "larger than 1 MiB")
		return nil, false
	}
	if at, problem := unreadable(data); problem != "" {
		r.addAt(at, "", "%s", problem)
		return nil, false
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var first, second yaml.Node
	err := decoder.Decode(&first)
	switch {
	case errors.Is(err, io.EOF), err == nil && isEmpty(&first):
		r.add("", emptyProblem)
		return nil, false
	case err != nil:
		r.errors = append(r.errors, r.syntax(data, err))
		return nil, false
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		r.addAt(placeOf(&second), "", "a second document begins here; a configuration is one")
		return nil, false
	case !errors.Is(err, io.EOF):
		r.errors = append(r.errors, r.syntax(data, err))
		return nil, false
	}
	return first.Content[0], true
}

// emptyProblem is what is wrong with a configuration that holds nothing.
const emptyProblem = "empty; at least listeners is needed"

// isEmpty reports whether a document holds nothing.
func isEmpty(doc *yaml.Node) bool {
	return len(doc.Content) == 0 || doc.Content[0].ShortTag() == "!!null"
}

// unreadable returns the first character that YAML does not allow (YAML 1.2
// section 5.1), and what is wrong with it.
func unreadable(data []byte) (place, string) {
	at := place{1, 1}
	for len(data) > 0 {
		c, size := utf8.DecodeRune(data)
		switch {
		case c == utf8.RuneError && size == 1:
			return at, "not UTF-8"
		case c == '\n':
			at = place{at.line + 1, 0}
		case unicode.IsControl(c) && c != '\t' && c != '\r' && c != '\u0085':
			return at, "the control character " + quote(string(c)) + " is not allowed"
		}
		at.column++
		data = data[size:]
	}
	return at, ""
}
