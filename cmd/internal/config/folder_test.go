package config_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/cmd/internal/config"
)

// folder makes a folder of files with these contents.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestAFolderIsReadAsOneFile(t *testing.T) {
	dir := folder(t, map[string]string{
		"10-base.yaml":   "data: {path: conntrack}\nlimits: {sessions: 50}\n",
		"20-legacy.yaml": "listeners:\n  - {name: legacy, listen: 203.0.113.1:21, server: 198.18.1.20:21}\nlimits:\n  sessions_per_client: 5\n",
		"30-other.yml":   "# another one\nlisteners:\n  - {name: other, listen: 203.0.113.2:21, server: 198.18.1.21:21}\n",
		"40-empty.yaml":  "# nothing yet\n\n",
		".hidden.yaml":   "listeners: wrong\n",
		"README":         "not YAML: [\n",
	})
	c, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Listeners) != 2 || c.Listeners[0].Name != "legacy" || c.Listeners[1].Name != "other" ||
		c.Limits.Sessions != 50 || c.Limits.SessionsPerClient != 5 || c.Data.Path != config.PathConntrack {
		t.Errorf("read %+v", c)
	}
}

func TestWhatIsWrongInAFolderIsFoundWithItsFile(t *testing.T) {
	const legacy = "listeners:\n  - {name: legacy, listen: 203.0.113.1:21, server: 198.18.1.20:21}\n"
	for name, tt := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"twice": {
			map[string]string{"a.yaml": legacy + "user: ftpalg\ndata:\n  path: auto\n", "b.yaml": "data:\n\n  path: relay\nuser: edge\n"},
			[]string{"b.yaml:3:3: data.path: given twice, first in DIR/a.yaml:5", "b.yaml:4:1: user: given twice, first in DIR/a.yaml:3"},
		},
		"a name twice": {
			map[string]string{"a.yaml": legacy, "b.yaml": "\n" + strings.Replace(legacy, "203.0.113.1", "203.0.113.2", 1)},
			[]string{`b.yaml:3:12: listeners[1].name: "legacy" names listeners[0] already`},
		},
		"values": {
			map[string]string{"a.yaml": legacy + "limits: {sessions: many}\n", "b.yaml": "data: {pth: auto}\n"},
			[]string{`a.yaml:3:20: limits.sessions: "many" is not a whole number`, `b.yaml:1:8: data.pth: unknown key; did you mean "path"?`},
		},
		"syntax": {
			map[string]string{"a.yaml": legacy, "b.yaml": "data: {path: auto}\nlimits: [\n"},
			[]string{"b.yaml:"},
		},
		"a list": {
			map[string]string{"a.yaml": legacy, "b.yaml": "- x\n"},
			[]string{"b.yaml:1:1: a list where a mapping belongs"},
		},
		"nothing":  {map[string]string{"a.yaml": "# none\n", "b.yaml": "\n"}, []string{"a.yaml: empty; at least listeners is needed"}},
		"no files": {map[string]string{"a.txt": legacy}, []string{"DIR: no file in this folder ends in .yaml or .yml"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := folder(t, tt.files)
			_, err := config.Load(dir)
			if err == nil {
				t.Fatal("no error")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("%d errors, want %d:\n%s", len(lines), len(tt.want), err)
			}
			for i, want := range tt.want {
				want = strings.ReplaceAll(want, "DIR", dir)
				if !strings.HasPrefix(strings.TrimPrefix(lines[i], dir+"/"), want) && !strings.Contains(lines[i], want) {
					t.Errorf("error %q, want %q", lines[i], want)
				}
			}
		})
	}
}

// Kubernetes changes all files of a ConfigMap at once, by a symbolic link.
func TestAFolderIsOfOneMoment(t *testing.T) {
	dir := t.TempDir()
	for _, version := range []string{"1", "2"} {
		if err := os.Mkdir(filepath.Join(dir, "..version"+version), 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a.yaml", "b.yaml"} {
			if err := os.WriteFile(filepath.Join(dir, "..version"+version, name), []byte(name+version), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, link := range [][2]string{{"..version1", "..data"}, {"..data/a.yaml", "a.yaml"}, {"..data/b.yaml", "b.yaml"}} {
		if err := os.Symlink(link[0], filepath.Join(dir, link[1])); err != nil {
			t.Fatal(err)
		}
	}
	first, err := config.Read(dir)
	if err != nil || !bytes.Contains(first, []byte("a.yaml1")) || !bytes.Contains(first, []byte("b.yaml1")) || bytes.Count(first, []byte("yaml1")) != 2 {
		t.Fatalf("read %q, %v", first, err)
	}
	if err := os.Symlink("..version2", filepath.Join(dir, "..new")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(dir, "..new"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	second, err := config.Read(dir)
	if err != nil || bytes.Count(second, []byte("yaml2")) != 2 || bytes.Contains(second, []byte("yaml1")) {
		t.Errorf("read %q, %v", second, err)
	}
}
