package config

import (
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// SchemaFile is where the packages put the JSON Schema; examples name it, so
// that editors check and complete what is written.
const SchemaFile = "/usr/share/ftpalg/ftpalg.schema.json"

// required are the keys without which a file is not good.
var required = map[string]bool{"listeners": true, "listeners[].name": true}

// PrintSchema writes the JSON Schema (draft 2020-12) of the file. It knows what
// one value may be; what must fit together, only Parse knows.
func PrintSchema(w io.Writer) error {
	s := group(Default().fields()).schema("")
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "ftpalg.yaml"
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return fmt.Errorf("print JSON Schema: %w", err)
	}
	return nil
}

// schema is a part of a JSON Schema.
type schema map[string]any

// schemaOf returns the schema of the value at path.
func schemaOf(path string, v value) schema {
	switch v := v.(type) {
	case word:
		return v.schema()
	case list:
		item := v.grow().schema()
		many := schema{"type": "array", "items": item, "minItems": 1}
		if v.single {
			return schema{"anyOf": []schema{item, many}}
		}
		return many
	case group:
		return v.schema(path)
	case wordOrGroup:
		return schema{"anyOf": []schema{v.word.schema(), v.group.schema(path)}}
	case section:
		return v.make().schema(path)
	case sequence:
		return schema{"type": "array", "items": v.grow().schema(path + "[]")}
	}
	panic(fmt.Sprintf("config: %s: no schema of a %T", path, v))
}

func (w word) schema() schema {
	s := schema{}
	switch {
	case w.shape.number:
		// A quoted number is read, too.
		s["type"], s["minimum"], s["maximum"], s["pattern"] = []string{"integer", "string"}, w.shape.least, w.shape.most, "^[0-9]+$"
	case len(w.shape.words) > 0:
		s["enum"] = choices(w.shape.words)
	case w.shape.pattern != "":
		s["type"], s["pattern"] = []string{"string"}, w.shape.pattern
		if regexp.MustCompile(w.shape.pattern).MatchString("1") {
			s["type"] = []string{"string", "integer"} // so YAML reads it
		}
	default:
		s["type"] = []string{"string", "integer"}
	}
	return s
}

// choices returns words as a YAML parser reads them: some are no strings.
func choices(words []string) (all []any) {
	for _, w := range words {
		switch n, err := strconv.ParseFloat(w, 64); {
		case w == "true", w == "false":
			all = append(all, w == "true")
			continue
		case err == nil:
			all = append(all, n)
		}
		all = append(all, w)
	}
	return all
}

func (g group) schema(path string) schema {
	properties := schema{}
	var needed []string
	for _, f := range g {
		at := child(path, f.key)
		s := schemaOf(at, f.value)
		s["description"] = meaning(at)
		if d := defaultOf(f.value); d != "" {
			s["default"] = d
		}
		properties[f.key] = s
		if required[at] {
			needed = append(needed, f.key)
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(needed) > 0 {
		s["required"] = needed
	}
	return s
}

// defaultOf returns the default of a value as it is written, "" if it has none
// or is a mapping.
func defaultOf(v value) string {
	switch v := v.(type) {
	case word:
		return v.text()
	case wordOrGroup:
		return v.word.text()
	case list:
		var words []string
		for _, w := range v.words() {
			if w.text() != "" {
				words = append(words, w.text())
			}
		}
		return strings.Join(words, ", ")
	}
	return ""
}

// Key is one key of the file, for a manual.
type Key struct {
	// Path is where it stands, Form what it takes, Default what it is without, ""
	// where Meaning says so.
	Path, Form, Default, Meaning string
}

// Keys lists all keys in the order in which they are printed.
func Keys() []Key { return keysOf("", Default().fields()) }

func keysOf(path string, g group) (all []Key) {
	for _, f := range g {
		at := child(path, f.key)
		k := Key{Path: at, Default: defaultOf(f.value), Meaning: meaning(at)}
		var inner []Key
		switch v := f.value.(type) {
		case word:
			k.Form = v.shape.says
		case list:
			k.Form = "a list; each " + v.grow().shape.says
			if v.single {
				k.Form = v.grow().shape.says + "; or a list"
			}
		case group:
			k.Form, inner = "a mapping", keysOf(at, v)
		case wordOrGroup:
			k.Form, inner = v.word.shape.says+"; or a mapping", keysOf(at, v.group)
		case section:
			k.Form, inner = "a mapping", keysOf(at, v.make())
		case sequence:
			k.Form, inner = "a list of mappings", keysOf(at+"[]", v.grow())
		}
		all = slices.Concat(all, []Key{k}, inner)
	}
	return all
}
