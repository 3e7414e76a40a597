package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
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

// The configuration that the Helm chart begins with is good.
func TestHelmsConfigurationIsGood(t *testing.T) {
	var values struct{ Config map[string]string }
	if err := yaml.Unmarshal([]byte(read(t, deploy, "helm", "ftpalg", "values.yaml")), &values); err != nil || len(values.Config) == 0 {
		t.Fatalf("read %+v, %v", values, err)
	}
	dir := t.TempDir()
	for name, text := range values.Config {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.Command(binary(), "check", "--config", dir).CombinedOutput(); err != nil {
		t.Errorf("check: %v\n%s", err, out)
	}
}
