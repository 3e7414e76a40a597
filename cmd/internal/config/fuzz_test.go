package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ftpalg/cmd/internal/config"
)

// FuzzParse: whatever the file holds, Parse ends, with a configuration
// that prints as itself or with a list of errors that are in it.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds (%v)", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		hung := time.AfterFunc(time.Minute, func() { panic("Parse does not end") })
		c, err := config.Parse("f", data)
		hung.Stop()
		if err == nil {
			assertPrintsItself(t, c)
			return
		}
		var list config.List
		if !errors.As(err, &list) || len(list) == 0 || c != nil {
			t.Errorf("got %v, %v; want no configuration and a List", c, err)
		}
	})
}
