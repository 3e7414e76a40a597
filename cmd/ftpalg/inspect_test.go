package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/cmd/internal/cli"
)

func TestFindInspect(t *testing.T) {
	own, path := t.TempDir(), t.TempDir()
	t.Setenv("PATH", path)
	program := filepath.Join(own, "ftpalg")
	if _, err := findInspect(program); err == nil || !strings.Contains(err.Error(), filepath.Join(own, inspectProgram)) {
		t.Errorf("without it: %v", err)
	}
	for _, folder := range []string{path, own} { // the one beside wins
		want := filepath.Join(folder, inspectProgram)
		if err := os.WriteFile(want, nil, 0o755); err != nil {
			t.Fatal(err)
		}
		if got, err := findInspect(program); err != nil || got != want {
			t.Errorf("found %q, %v, want %q", got, err, want)
		}
	}
}

func TestInspectWithoutItsProgramSaysWhatIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, errs, status := runLine(t, "inspect", "session.pcap")
	if status != cli.ExitFailed || !strings.Contains(errs, "built and installed together") {
		t.Errorf("status %d, %q", status, errs)
	}
	if _, errs, status := runLine(t, "inspect"); status != cli.ExitMisused || !strings.Contains(errs, "name one capture file") {
		t.Errorf("no argument: status %d, %q", status, errs)
	}
}
