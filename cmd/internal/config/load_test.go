package config_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ftpalg/cmd/internal/config"
)

const minimal = `listeners:
  - name: legacy
    listen: 203.0.113.1:21
    server: 198.18.1.20:21
`

// problems returns the errors of a file with that text.
func problems(t *testing.T, text string) config.List {
	t.Helper()
	_, err := config.Parse("f", []byte(text))
	var list config.List
	if !errors.As(err, &list) {
		t.Fatalf("error is %v, want a List", err)
	}
	return list
}

func TestLoadReadsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ftpalg.yaml")
	if err := os.WriteFile(path, []byte(minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Listeners) != 1 || c.Listeners[0].Name != "legacy" {
		t.Errorf("listeners are %+v", c.Listeners)
	}
}

func TestLoadNamesAFileItCannotRead(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.yaml")
	for _, path := range []string{missing, dir} {
		_, err := config.Load(path)
		var list config.List
		if err == nil || errors.As(err, &list) || !strings.Contains(err.Error(), path) {
			t.Errorf("Load(%s) = %v; want an input error that names it", path, err)
		}
	}
	if _, err := config.Load(missing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Load of no file: %v, want fs.ErrNotExist within", err)
	}
}

func TestLoadReportsErrorsWithTheFilesPath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(path, []byte("nat: 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := config.Load(path)
	if want := path + ":1:6: nat: a single value where a list belongs"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestFileOverOneMebibyteIsRefused(t *testing.T) {
	pad := "#" + strings.Repeat("x", 1<<20-len(minimal)-2) + "\n"
	if _, err := config.Parse("f", []byte(minimal+pad)); err != nil {
		t.Errorf("exactly 1 MiB: %v", err)
	}
	if got := problems(t, minimal+pad+"\n").Error(); got != "f: larger than 1 MiB" {
		t.Errorf("got %q", got)
	}
}

func TestErrorsAreInFileOrder(t *testing.T) {
	list := problems(t, "log: {level: no}\nlimits: {sessions: no, idle_timeout: no}\nlisteners:\n  - name: a\n    server: no\n  - nam: b\n")
	if len(list) < 5 {
		t.Fatalf("only %d errors: %v", len(list), list)
	}
	for i := 1; i < len(list); i++ {
		a, b := list[i-1], list[i]
		if a.Line > b.Line || a.Line == b.Line && a.Column > b.Column {
			t.Errorf("%v stands before %v", a, b)
		}
	}
}

func TestErrorLeavesOutWhatIsUnknown(t *testing.T) {
	for _, c := range []struct {
		e    config.Error
		want string
	}{
		{config.Error{File: "f", Line: 3, Column: 5, Path: "a.b", Problem: "wrong"}, "f:3:5: a.b: wrong"},
		{config.Error{File: "f", Line: 3, Problem: "wrong"}, "f:3: wrong"},
		{config.Error{File: "f", Problem: "wrong"}, "f: wrong"},
	} {
		if got := c.e.Error(); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestWrongValuesAreRepeatedShortened(t *testing.T) {
	long := strings.Repeat("é", 5000)
	for _, e := range problems(t, minimal+"log: {level: "+long+"}\n"+long[:400]+": 1\n") {
		if len(e.Error()) > 400 {
			t.Errorf("an error of %d bytes: %.80s…", len(e.Error()), e.Error())
		}
	}
}

// Aliases make a small file mean a large configuration.
func TestAliasBombIsCutShort(t *testing.T) {
	var b strings.Builder
	b.WriteString("limits: &ports [" + strings.Repeat("1,", 500) + "1]\nlisteners:\n")
	for range 500 {
		b.WriteString("- {name: a, transparent: {interface: lan, ports: *ports}}\n")
	}
	list := problems(t, b.String())
	if last := list[len(list)-1]; last.Problem != "holds more than 10000 values" {
		t.Errorf("last error is %v", last)
	}
}

func TestPrintedConfigurationMeansTheSame(t *testing.T) {
	examples(t, "testdata/ok/*.yaml", func(t *testing.T, file string, data []byte) {
		c, err := config.Parse(file, data)
		if err != nil {
			t.Fatal(err)
		}
		assertPrintsItself(t, c)
	})
}

// assertPrintsItself checks that what c prints is read as c, once the token
// stands where it is hidden.
func assertPrintsItself(t *testing.T, c *config.Config) {
	t.Helper()
	var out bytes.Buffer
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	shown := strings.Replace(out.String(), "\n  token: (hidden)\n", fmt.Sprintf("\n  token: %q\n", c.Admin.Token.Reveal()), 1)
	again, err := config.Parse("printed", []byte(shown))
	if err != nil {
		t.Fatalf("%v in\n%s", err, out.String())
	}
	if !reflect.DeepEqual(c, again) {
		t.Errorf("got  %+v\nwant %+v\nfrom\n%s", again, c, out.String())
	}
}

func TestPrintReportsAWriterThatFails(t *testing.T) {
	c, err := config.Parse("f", []byte(minimal))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Print(failing{}); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("got %v, want fs.ErrClosed", err)
	}
}

// failing is a writer that was closed.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, fs.ErrClosed }
