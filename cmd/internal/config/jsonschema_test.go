package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"ftpalg/cmd/internal/config"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	var text bytes.Buffer
	if err := config.PrintSchema(&text); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(&text)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("ftpalg.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("ftpalg.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON reads YAML into what a validator of JSON takes.
func asJSON(t *testing.T, text []byte) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// What the gateway reads, an editor must not mark as wrong: every good file,
// every example, and what print-config makes of them.
func TestSchemaTakesWhatIsGood(t *testing.T) {
	s := compiled(t)
	files, _ := filepath.Glob("testdata/ok/*.yaml")
	examples, _ := filepath.Glob("../../../deploy/examples/*.yaml")
	if len(files) == 0 || len(examples) == 0 {
		t.Fatal("no files")
	}
	for _, file := range slices.Concat(files, examples) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, err := config.Parse(file, data)
		if err != nil {
			t.Fatal(err)
		}
		var printed bytes.Buffer
		if err := c.Print(&printed); err != nil {
			t.Fatal(err)
		}
		for what, text := range map[string][]byte{file: data, "print-config of " + file: printed.Bytes()} {
			if err := s.Validate(asJSON(t, text)); err != nil {
				t.Errorf("%s: %v", what, err)
			}
		}
	}
}

func TestSchemaRefusesWhatIsWrongInItself(t *testing.T) {
	s := compiled(t)
	for what, text := range map[string]string{
		"no listeners":      "data: {path: auto}",
		"no name":           "listeners: [{listen: 203.0.113.1:21}]",
		"an unknown key":    "listeners: [{name: a, listne: 203.0.113.1:21}]",
		"an unknown word":   "listeners: [{name: a, modes: both}]",
		"a mode of TLS":     "listeners: [{name: a, tls: maybe}]",
		"a number too high": "listeners: [{name: a}]\nlimits: {command_line: 70000}",
		"no unit":           "listeners: [{name: a}]\nlimits: {idle_timeout: 15}",
		"an empty list":     "listeners: [{name: a, listen: []}]",
		"a list of words":   "listeners: [legacy]",
		"no boolean":        "listeners: [{name: a}]\nadmin: {pprof: sometimes}",
	} {
		if s.Validate(asJSON(t, []byte(text))) == nil {
			t.Errorf("%s passes: %s", what, text)
		}
	}
}

// Every key has its meaning, and no meaning is left of a key that has gone.
func TestEveryKeyIsExplained(t *testing.T) {
	known := map[string]bool{}
	for _, k := range config.Keys() {
		known[k.Path] = true
		if !strings.HasSuffix(k.Meaning, ".") || k.Form == "" {
			t.Errorf("%s: meaning %q, form %q", k.Path, k.Meaning, k.Form)
		}
	}
	for _, path := range config.Explained() {
		if !known[path] {
			t.Errorf("%s is explained and no key", path)
		}
	}
}
