package config_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/cmd/internal/config"
)

const goodToken = "6f1c0e5b9a7d4832"

func TestSecretIsNeverPrinted(t *testing.T) {
	c := parse(t, minimal+"admin: {token: "+goodToken+"}\n")
	asJSON, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(c.Admin), fmt.Sprintf("%+v %#v %q %x %d", c.Admin, c.Admin, c.Admin.Token, c.Admin.Token, c.Admin.Token), string(asJSON)} {
		if strings.Contains(text, goodToken) {
			t.Errorf("the token stands in %s", text)
		}
	}
	if got := c.Admin.Token.Reveal(); got != goodToken {
		t.Errorf("Reveal is %q", got)
	}
}

func TestWrongTokenIsNotRepeated(t *testing.T) {
	for _, wrong := range []string{"tooshort", "with some spaces in it", strings.Repeat("long", 200)} {
		if _, err := config.ParseToken(wrong); err == nil || strings.Contains(err.Error(), wrong[:8]) {
			t.Errorf("ParseToken(%q): %v", wrong, err)
		}
	}
}

func TestReadToken(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct{ name, path, want string }{
		{"no file", "", ""},
		{"with an end of line", file("good", goodToken+"\n"), goodToken},
		{"as long as may be", file("long", strings.Repeat("x", 512)+"\r\n"), strings.Repeat("x", 512)},
	} {
		a := config.Admin{TokenFile: c.path}
		if got, err := a.ReadToken(); err != nil || got.Reveal() != c.want {
			t.Errorf("%s: %q, %v", c.name, got.Reveal(), err)
		}
	}
	for _, c := range []struct{ name, path, want string }{
		{"empty", file("empty", "\n"), "has 0 characters"},
		{"two lines", file("two", goodToken+"\n"+goodToken), "control character"},
		{"a large file", file("large", strings.Repeat("x", 1<<20)), "at most 512"},
	} {
		a := config.Admin{TokenFile: c.path}
		if _, err := a.ReadToken(); err == nil || !strings.Contains(err.Error(), "admin.token_file: "+c.path) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	a := config.Admin{TokenFile: filepath.Join(dir, "none")}
	if _, err := a.ReadToken(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
}
