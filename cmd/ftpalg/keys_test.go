package main

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestTheKeysOfJSONStay compares the keys that scripts may read with a golden;
// UPDATE_GOLDEN=1 writes it.
func TestTheKeysOfJSONStay(t *testing.T) {
	socket := show(t, picture{ready: true})
	var all strings.Builder
	for _, line := range []string{"status", "sessions", "session 12", "pinholes"} {
		out, errs, status := runLine(t, append(strings.Fields(line), "--json", "--socket", socket)...)
		var v any
		if err := json.Unmarshal([]byte(out), &v); err != nil || status != 0 {
			t.Fatalf("%s: status %d, %v: %s%s", line, status, err, out, errs)
		}
		all.WriteString("$ ftpalg " + line + " --json\n" + strings.Join(keys(v, ""), "\n") + "\n")
	}
	compare(t, "keys.golden", all.String())
}

// keys returns the paths of all keys in a JSON value, sorted.
func keys(v any, path string) []string {
	found := map[string]bool{}
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			for _, k := range keys(e, path+"[]") {
				found[k] = true
			}
		}
	case map[string]any:
		for name, e := range v {
			for _, k := range keys(e, path+"."+name) {
				found[k] = true
			}
		}
	default:
		return []string{path}
	}
	return slices.Sorted(maps.Keys(found))
}
