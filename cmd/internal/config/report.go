package config

import (
	"fmt"
	"strings"
)

// place is a position in the file, both from 1, the column in characters.
type place struct{ line, column int }

// report collects what is wrong, and knows where each value stands.
type report struct {
	// files are the names of the file, or of the fragments of a folder.
	files  []string
	places map[string]place
	failed map[string]bool
	errors List
}

func newReport(file string) *report {
	return &report{files: []string{file}, places: map[string]place{}, failed: map[string]bool{}}
}

// add records a problem with the value at path. A value that is not in the
// file is reported where the mapping begins that lacks it.
func (r *report) add(path, format string, args ...any) {
	r.addAt(r.find(path), path, format, args...)
}

// addAt is add for a problem that stands elsewhere than its value.
func (r *report) addAt(at place, path, format string, args ...any) {
	r.failed[path] = true
	file, line := r.locate(at.line)
	r.errors = append(r.errors, Error{
		File: file, Line: line, Column: at.column,
		Path: path, Problem: fmt.Sprintf(format, args...), order: at.line,
	})
}

// locate returns the file and the line in it of a line of the whole.
func (r *report) locate(line int) (file string, in int) {
	return r.files[line/fragmentLines], line % fragmentLines
}

// lineOf names a line of the whole, seen from one in the same file or another.
func (r *report) lineOf(line, from int) string {
	file, in := r.locate(line)
	if other, _ := r.locate(from); other != file {
		return fmt.Sprintf("%s:%d", file, in)
	}
	return fmt.Sprintf("line %d", in)
}

// find returns the place of the value at path, or of the nearest value around
// it.
func (r *report) find(path string) place {
	for path != "" {
		if at, ok := r.places[path]; ok {
			return at
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return r.places[""]
}

// given reports whether the file holds a value at path.
func (r *report) given(path string) bool {
	_, ok := r.places[path]
	return ok
}

// clean reports whether none of the paths has been found wrong so far.
func (r *report) clean(paths ...string) bool {
	for _, path := range paths {
		if r.failed[path] {
			return false
		}
	}
	return true
}

// require reports a value that the file lacks, and why it is needed. It stays
// silent where the key was misspelt, which has been reported already.
func (r *report) require(path, why string) {
	if !r.given(path) && r.clean(path) {
		r.add(path, "is missing: %s", why)
	}
}

// element returns the path of a list's element; of the value itself where one
// value stands in place of a list.
func (r *report) element(path string, i int) string {
	if p := index(path, i); r.given(p) {
		return p
	}
	return path
}

// child returns the path of a mapping's key.
func child(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// index returns the path of a list's element.
func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
