package xferlog

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// opened returns a Log that writes to path, and what it has reported once it
// is closed.
func opened(path string) (l *Log, closed func() []string) {
	var reports []string
	l = New(OpenFile, func(err error) { reports = append(reports, fmt.Sprint(err)) })
	l.Open(path)
	return l, func() []string {
		l.Close()
		return reports
	}
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestLinesNeverInterleave(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xferlog")
	l, closed := opened(path)
	var writers sync.WaitGroup
	const writing, each = 8, 50
	for w := range writing {
		writers.Go(func() {
			transfer := finished
			transfer.Name = strings.Repeat(string(rune('a'+w)), 900)
			for range each {
				l.Write(transfer)
			}
		})
	}
	writers.Wait()
	if reports := closed(); reports != nil {
		t.Errorf("it reported %q", reports)
	}
	got := lines(t, path)
	if len(got) != writing*each {
		t.Fatalf("%d lines, want %d", len(got), writing*each)
	}
	for _, line := range got {
		name := strings.Fields(line)[8]
		if name != strings.Repeat(name[:1], 900) {
			t.Fatalf("interleaved: %q", line)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&^0o640 != 0 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
}

// direct returns a function that has one order carried out at once, and what
// is reported.
func direct(t *testing.T) (obey func(order), reports *[]string) {
	reports = new([]string)
	f := &file{opens: OpenFile, report: func(err error) { *reports = append(*reports, fmt.Sprint(err)) }}
	t.Cleanup(f.close)
	return func(o order) { f.obey(o, 0) }, reports
}

func TestOpenAgainAfterRotation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xferlog")
	obey, reports := direct(t)
	obey(order{path: path})
	obey(order{line: finished.line()})
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	obey(order{line: finished.line()}) // before the signal
	obey(order{path: path})
	obey(order{line: finished.line()})
	obey(order{path: ""})
	obey(order{line: finished.line()})
	if old, fresh := lines(t, path+".1"), lines(t, path); len(old) != 2 || len(fresh) != 1 || *reports != nil {
		t.Errorf("the old file has %q, the new one %q, reported was %q", old, fresh, *reports)
	}
}

func TestAMissingFolderIsReportedOnce(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "log")
	path := filepath.Join(folder, "xferlog")
	obey, reports := direct(t)
	obey(order{path: path})
	obey(order{line: finished.line()})
	obey(order{line: finished.line()})
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	obey(order{line: finished.line()})
	if got := *reports; len(got) != 2 || !strings.Contains(got[0], "no such file or directory") || got[1] != "<nil>" {
		t.Errorf("it reported %q", got)
	}
	if got := lines(t, path); len(got) != 1 {
		t.Errorf("the file holds %q", got)
	}
}

// TestAFullDiskIsReportedOnce writes to full(4).
func TestAFullDiskIsReportedOnce(t *testing.T) {
	l, closed := opened("/dev/full")
	for range 3 {
		l.Write(finished)
	}
	if reports := closed(); len(reports) != 1 || !strings.Contains(reports[0], "no space left on device") {
		t.Errorf("it reported %q", reports)
	}
}

func TestWhoeverWritesNeverWaits(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	l, closed := opened(fifo) // waits for a reader
	for range 2 * waiting {
		l.Write(finished)
	}
	reader, err := os.Open(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	kept := make(chan int, 1)
	go func() {
		text, _ := io.ReadAll(reader)
		kept <- bytes.Count(text, []byte("\n"))
	}()
	reports := closed()
	if n := <-kept; n < waiting-1 || n > waiting {
		t.Errorf("%d lines were kept, want %d", n, waiting)
	}
	if len(reports) != 2 || !strings.Contains(reports[0], "lines are lost") || reports[1] != "<nil>" {
		t.Errorf("it reported %q", reports)
	}
}

func TestTheRestOfATornLineIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xferlog")
	f := file{opens: OpenFile, path: path, report: func(error) {}}
	if err := os.WriteFile(path, []byte("Thu Mar"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.torn = true
	if err := f.write(finished.line()); err != nil {
		t.Fatal(err)
	}
	f.close()
	if got := lines(t, path); len(got) != 2 || got[0] != "Thu Mar" {
		t.Errorf("the file holds %q", got)
	}
}
