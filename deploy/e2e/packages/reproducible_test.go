package packages

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Whoever builds a commit again, in whatever folder, gets the same bytes.
func TestTwoBuildsAreTheSame(t *testing.T) {
	var built [2]map[string][]byte
	for i, name := range []string{"one", "a/longer/one"} {
		dir := filepath.Join(t.TempDir(), name)
		command(t, "git", "clone", "--quiet", root, dir)
		command(t, "make", "-C", dir, "package-amd64")
		built[i] = make(map[string][]byte)
		for _, pattern := range []string{"build/*.deb", "build/*.rpm", "build/amd64/ftpalg*"} {
			files, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range files {
				text, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				built[i][filepath.Base(file)] = text
			}
		}
	}
	if len(built[0]) < 8 {
		t.Fatalf("only %d files were built", len(built[0]))
	}
	for name, text := range built[0] {
		if !bytes.Equal(text, built[1][name]) {
			t.Errorf("%s differs", name)
		}
	}
}
