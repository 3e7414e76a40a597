package config

import (
	"strings"

	"gopkg.in/yaml.v3"
)

// maxValues bounds what a file may hold once its aliases are followed, so
// that a small file cannot cost unbounded time.
const maxValues = 10000

// decoder reads a tree of nodes into values.
type decoder struct {
	*report
	left int // how many values may still be read
}

// enter notes where the value at path stands, follows an alias, and returns
// the node if it is of the kind that belongs there.
func (d *decoder) enter(path string, n *yaml.Node, kind yaml.Kind) (*yaml.Node, bool) {
	if !d.spend(n) {
		return nil, false
	}
	d.places[path] = placeOf(n)
	n = follow(n)
	switch {
	case n.Style&yaml.TaggedStyle != 0:
		d.add(path, "has the tag %s; tags are not supported", quote(n.Tag))
	case n.ShortTag() == "!!null":
		d.add(path, "has no value; give one, or remove the key")
	case n.Kind != kind:
		d.add(path, "%s where %s belongs", describe(n.Kind), describe(kind))
	default:
		return n, true
	}
	return nil, false
}

// spend counts one more value, and reports when there are too many.
func (d *decoder) spend(n *yaml.Node) bool {
	d.left--
	if d.left == -1 {
		d.addAt(placeOf(n), "", "holds more than %d values", maxValues)
	}
	return d.left >= 0
}

func (w word) read(d *decoder, path string, n *yaml.Node) {
	n, ok := d.enter(path, n, yaml.ScalarNode)
	if !ok {
		return
	}
	if err := w.parse(n.Value); err != nil {
		d.add(path, "%s", err)
	}
}

func (v wordOrGroup) read(d *decoder, path string, n *yaml.Node) {
	if follow(n).Kind == yaml.ScalarNode {
		v.word.read(d, path, n)
		return
	}
	v.group.read(d, path, n)
}

func (l list) read(d *decoder, path string, n *yaml.Node) {
	if l.single && follow(n).Kind == yaml.ScalarNode {
		l.grow().read(d, path, n)
		return
	}
	n, ok := d.enter(path, n, yaml.SequenceNode)
	if !ok {
		return
	}
	if len(n.Content) == 0 {
		d.add(path, "is an empty list; list something, or remove the key")
	}
	for i, item := range n.Content {
		l.grow().read(d, index(path, i), item)
	}
}

func (s section) read(d *decoder, path string, n *yaml.Node) {
	s.make().read(d, path, n)
}

func (s sequence) read(d *decoder, path string, n *yaml.Node) {
	n, ok := d.enter(path, n, yaml.SequenceNode)
	if !ok {
		return
	}
	for i, item := range n.Content {
		s.grow().read(d, index(path, i), item)
	}
}

func (g group) read(d *decoder, path string, n *yaml.Node) {
	n, ok := d.enter(path, n, yaml.MappingNode)
	if !ok {
		return
	}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		g.pair(d, path, first, n.Content[i], n.Content[i+1])
	}
}

// pair reads one key and its value. first holds the line of every key that
// the mapping had so far.
func (g group) pair(d *decoder, path string, first map[string]int, key, n *yaml.Node) {
	if !d.spend(key) {
		return
	}
	at, text := placeOf(key), follow(key).Value
	shown := child(path, plain(text))
	line, again := first[text]
	field, known := g.find(text)
	switch {
	case follow(key).Kind != yaml.ScalarNode:
		d.addAt(at, child(path, "?"), "%s where a key belongs", describe(follow(key).Kind))
	case again:
		d.addAt(at, shown, "given twice, first in %s", d.lineOf(line, at.line))
	case text == "<<":
		d.addAt(at, shown, "merge keys are not supported; write the keys out")
	case !known:
		d.addAt(at, shown, "%s", g.unknown(d, path, text))
	default:
		field.value.read(d, shown, n)
	}
	if !again {
		first[text] = at.line
	}
}

// find returns the field of that key.
func (g group) find(key string) (field, bool) {
	for _, f := range g {
		if f.key == key {
			return f, true
		}
	}
	return field{}, false
}

// unknown says what to write in place of a key that does not exist. The key
// that was probably meant counts as wrong, not as missing.
func (g group) unknown(d *decoder, path, key string) string {
	known := make([]string, len(g))
	for i, f := range g {
		known[i] = f.key
	}
	meant := nearest(key, known)
	if meant == "" {
		return "unknown key; known are " + strings.Join(known, ", ")
	}
	d.failed[child(path, meant)] = true
	return `unknown key; did you mean "` + meant + `"?`
}

// follow returns the node that an alias stands for, else the node itself.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func placeOf(n *yaml.Node) place { return place{n.Line, n.Column} }

// describe names a kind of node as an operator would.
func describe(k yaml.Kind) string {
	switch k {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}
