package inspect_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ftpalg/alg/capture"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/inspect"
)

var update = flag.Bool("update", false, "write the goldens anew; then read every difference")

// run inspects a file.
func run(t *testing.T, file []byte, o inspect.Options) (out string, err error) {
	t.Helper()
	r, err := capture.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	o.Out = &b
	err = inspect.Run(context.Background(), r, o)
	return b.String(), err
}

func TestCorpus(t *testing.T) {
	for _, s := range scenes {
		t.Run(s.name, func(t *testing.T) {
			file, want := s.file()
			var o inspect.Options
			if s.config != "" {
				var err error
				if o.Config, err = config.Load(filepath.Join("testdata", s.config)); err != nil {
					t.Fatal(err)
				}
			}
			words, err := run(t, file, o)
			if (err != nil) != (s.damage != nil) {
				t.Errorf("error %v", err)
			}
			o.JSON = true
			records, _ := run(t, file, o)
			if diff := cmp.Diff(want, announced(t, records)); diff != "" {
				t.Errorf("announcements (-want +got):\n%s", diff)
			}
			if strings.Contains(words+records, "sesame") {
				t.Error("the password is told")
			}
			compare(t, s.name+".txt", words)
			compare(t, s.name+".json", records)
		})
	}
}

// announced returns the announcements in the output of --json as the corpus
// writes them.
func announced(t *testing.T, records string) (out []string) {
	t.Helper()
	for _, text := range strings.Split(strings.TrimSpace(records), "\n") {
		if text == "" {
			continue
		}
		var r struct {
			Session, Frame int
			Kind           string
			Address        netip.Addr
			Port           uint16
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil || r.Session == 0 {
			t.Fatalf("%s: %v", text, err)
		}
		out = append(out, fmt.Sprintf("%d %s %s", r.Frame, r.Kind, netip.AddrPortFrom(r.Address, r.Port)))
	}
	return out
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
