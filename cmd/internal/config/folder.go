package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A configuration may be a folder of fragments, NAME.yaml or NAME.yml, which are
// taken in the order of their names. Their lists (listeners, nat) are put
// one behind the other, their mappings (data, limits) together; what stands in
// two of them is an error.

// fragment is one file of a folder.
type fragment struct {
	name string
	text []byte
}

// separator stands before each name and each text where fragments travel as
// one: no YAML has it (YAML 1.2 section 5.1).
const separator = 0

// currentFolder is the symbolic link by which Kubernetes changes all files of a
// ConfigMap at once.
const currentFolder = "..data"

// readFolder returns the fragments of a folder as one.
func readFolder(path string) ([]byte, error) {
	from := path
	if current, err := filepath.EvalSymlinks(filepath.Join(path, currentFolder)); err == nil {
		from = current // all of one moment
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return nil, fmt.Errorf("load configuration: %w", err)
	}
	var out []byte
	for _, e := range entries {
		name := e.Name()
		if ext := filepath.Ext(name); strings.HasPrefix(name, ".") || ext != ".yaml" && ext != ".yml" {
			continue
		}
		text, err := readFile(filepath.Join(from, name))
		if err != nil {
			return nil, fmt.Errorf("load configuration: %w", err)
		}
		out = append(append(append(append(out, separator), filepath.Join(path, name)...), separator), text...)
	}
	if out == nil {
		return nil, fmt.Errorf("load configuration: %s: no file in this folder ends in .yaml or .yml", path)
	}
	return out, nil
}

// fragmentsOf returns the fragments that data consists of; a single file is one.
func fragmentsOf(name string, data []byte) []fragment {
	if len(data) == 0 || data[0] != separator {
		return []fragment{{name, data}}
	}
	var out []fragment
	parts := bytes.Split(data[1:], []byte{separator})
	if len(parts)%2 != 0 {
		return []fragment{{name, data}} // a file with a NUL, which is no YAML
	}
	for pair := range slices.Chunk(parts, 2) {
		out = append(out, fragment{string(pair[0]), pair[1]})
	}
	return out
}

// fragmentLines is by how much the lines of a fragment are moved for each one
// before it, so that a line says which fragment it is of.
const fragmentLines = maxBytes + 2

// root returns the root of the configuration, or reports why there is none.
func (r *report) root(data []byte) (*yaml.Node, bool) {
	if len(data) > maxBytes {
		r.add("", "larger than 1 MiB")
		return nil, false
	}
	all := fragmentsOf(r.files[0], data)
	r.files = r.files[:0]
	var merged *yaml.Node
	for i, f := range all {
		r.files = append(r.files, f.name)
		if len(all) > 1 && isBlank(f.text) {
			continue
		}
		one := newReport(f.name)
		root, ok := one.document(f.text)
		for _, e := range one.errors {
			e.order += i * fragmentLines
			r.errors = append(r.errors, e)
		}
		switch {
		case !ok:
		case len(all) > 1 && root.Kind != yaml.MappingNode:
			r.addAt(place{root.Line + i*fragmentLines, root.Column}, "", "%s where a mapping belongs", describe(root.Kind))
		default:
			move(root, i*fragmentLines)
			merged = merge(merged, root)
		}
	}
	if merged == nil && len(r.errors) == 0 {
		r.add("", emptyProblem)
	}
	return merged, len(r.errors) == 0
}

// isBlank reports whether a fragment has nothing but comments.
func isBlank(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
			return false
		}
	}
	return true
}

// move moves the lines of a node and of all below it.
func move(n *yaml.Node, lines int) {
	n.Line += lines
	for _, c := range n.Content {
		move(c, lines)
	}
}

// merge puts the keys of a further mapping into one, and lists behind lists. What
// stands in both otherwise is kept twice, so that it is found when it is read.
func merge(into, further *yaml.Node) *yaml.Node {
	if into == nil {
		return further
	}
	for i := 0; i+1 < len(further.Content); i += 2 {
		key, value := further.Content[i], further.Content[i+1]
		had := valueOf(into, key.Value)
		if had != nil && had.Kind == value.Kind && (value.Kind == yaml.SequenceNode || value.Kind == yaml.MappingNode) {
			had.Content = append(had.Content, value.Content...)
			continue
		}
		into.Content = append(into.Content, key, value)
	}
	return into
}

// valueOf returns the value of a mapping's key, nil if it has none.
func valueOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}
