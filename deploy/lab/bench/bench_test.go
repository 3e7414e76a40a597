package bench

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab/bench/internal/load"
)

// TestMain lets the test binary be a client or a server of the load as well.
func TestMain(m *testing.M) {
	load.Main()
	os.Exit(m.Run())
}

// TestBench measures, prints the table, and holds it against the claims.
func TestBench(t *testing.T) {
	s, asked, err := readSettings()
	if err != nil {
		t.Fatal(err)
	}
	if !asked {
		t.Skip("takes minutes: `make bench`, or set FTPALG_BENCH")
	}
	ctx := untilDeadline(t)
	binary := filepath.Join(t.TempDir(), "ftpalg")
	if err := build(ctx, binary); err != nil {
		t.Fatal(err)
	}
	r := newReport(s, append(subjects(binary), s.former()...))
	(&runner{ctx, s, r, t.Logf}).run()
	if err := ctx.Err(); err != nil {
		t.Errorf("the run is not complete: %v", err)
	}
	publish(t, s, r)
	for _, c := range claims() {
		t.Run(c.says, func(t *testing.T) { c.check(t, s, r) })
	}
}

// untilDeadline ends early enough before the test binary's own deadline, or
// at an interrupt, for the networks to be removed.
func untilDeadline(t *testing.T) context.Context {
	const closing = 30 * time.Second
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	t.Cleanup(stop)
	if deadline, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-closing))
		t.Cleanup(cancel)
	}
	return ctx
}

func publish(t *testing.T, s settings, r *report) {
	t.Helper()
	var text bytes.Buffer
	if err := r.tables().writeText(&text); err != nil {
		t.Error(err)
	}
	t.Logf("medians of %d rounds of %s; in parentheses the ratio to the kernel helper, or to a server that speaks TLS itself\n%s", s.rounds, s.cell, &text)
	writeFile(t, s.markdown, r.tables().writeMarkdown)
	writeFile(t, s.svg, r.chart().writeSVG)
}

// writeFile writes to path; to none if it is empty.
func writeFile(t *testing.T, path string, write func(io.Writer) error) {
	t.Helper()
	if path == "" {
		return
	}
	var content bytes.Buffer
	if err := write(&content); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, content.Bytes(), 0o644); err != nil {
		t.Error(err)
	}
}
