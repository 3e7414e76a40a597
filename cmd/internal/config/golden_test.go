package config_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/cmd/internal/config"
)

// golden compares got with the file beside name, or writes that file if
// UPDATE_GOLDEN is set.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := strings.TrimSuffix(name, ".yaml") + ".golden"
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

// examples calls test with the name and content of each file that matches.
func examples(t *testing.T, pattern string, test func(t *testing.T, file string, data []byte)) {
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file matches %s (%v)", pattern, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			test(t, file, data)
		})
	}
}

func TestGoodFilePrintsTheConfigurationInForce(t *testing.T) {
	examples(t, "testdata/ok/*.yaml", func(t *testing.T, file string, data []byte) {
		c, err := config.Parse(filepath.Base(file), data)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := c.Print(&out); err != nil {
			t.Fatal(err)
		}
		golden(t, file, out.String())
	})
}

func TestBadFileIsRefusedWithEveryError(t *testing.T) {
	examples(t, "testdata/bad/*.yaml", func(t *testing.T, file string, data []byte) {
		c, err := config.Parse(filepath.Base(file), data)
		var list config.List
		if !errors.As(err, &list) || c != nil {
			t.Fatalf("got %v, %v; want no configuration and a List", c, err)
		}
		golden(t, file, list.Error()+"\n")
	})
}
