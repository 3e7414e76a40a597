package examples

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// deploy is the folder with the files under test.
const deploy = "../.."

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// settings returns the lines of a file but comments and empty ones.
func settings(t *testing.T, path ...string) (lines []string) {
	t.Helper()
	for line := range strings.Lines(read(t, append([]string{deploy}, path...)...)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			lines = append(lines, line)
		}
	}
	return lines
}

// defaultOf returns a setting that a configuration leaves out, as the
// configuration's own tests hold it.
func defaultOf(t *testing.T, key string) string {
	t.Helper()
	for line := range strings.Lines(read(t, "../../../cmd/internal/config/testdata/ok/minimal.golden")) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), key+": "); ok {
			return value
		}
	}
	t.Fatalf("no default of %s", key)
	return ""
}
