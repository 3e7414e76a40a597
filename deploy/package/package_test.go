package deploypackage

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const root = "../.."

// contents are those of nfpm.yaml, as far as they are looked at.
type contents struct {
	Contents []struct{ Src, Dst, Type string }
	Scripts  map[string]string
}

func read(t *testing.T) (c contents) {
	t.Helper()
	text, err := os.ReadFile("nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// What is packaged is there, and what `make install` installs is packaged.
func TestPackageHoldsWhatInstallDoes(t *testing.T) {
	packaged := map[string]bool{}
	for _, c := range read(t).Contents {
		found, err := filepath.Glob(filepath.Join(root, c.Src))
		if err != nil || len(found) == 0 && !strings.HasPrefix(c.Src, "${BUILD}/") {
			t.Errorf("%s: %v", c.Src, err)
		}
		if strings.HasPrefix(c.Dst, "/etc/") && c.Type != "config|noreplace" {
			t.Errorf("%s: an upgrade would replace what the operator has changed", c.Dst)
		}
		for _, f := range found {
			packaged[f] = true
		}
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	installed := 0
	for _, word := range strings.Fields(string(makefile)) {
		if !strings.HasPrefix(word, "deploy/") {
			continue
		}
		found, _ := filepath.Glob(filepath.Join(root, word))
		for _, f := range found {
			if info, err := os.Stat(f); err != nil || info.IsDir() || strings.HasSuffix(f, ".sh") || strings.HasSuffix(f, "nfpm.yaml") {
				continue
			}
			if strings.Contains(f, "/lab/") {
				continue // of the benchmark
			}
			if installed++; !packaged[f] {
				t.Errorf("%s is installed and not packaged", f)
			}
		}
	}
	if installed < 15 {
		t.Errorf("only %d installed files were found", installed)
	}
}

func TestScriptsAreShell(t *testing.T) {
	scripts := read(t).Scripts
	if len(scripts) != 3 {
		t.Errorf("scripts: %v", scripts)
	}
	for _, s := range scripts {
		if out, err := exec.Command("sh", "-n", filepath.Join(root, s)).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", s, err, out)
		}
	}
}
