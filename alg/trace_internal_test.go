package alg

import (
	"io"
	"log/slog"
	"testing"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/wire"
)

// TestWithoutTraceALineAllocatesNothing measures what each line of a control
// connection goes through, at the level below which trace begins.
func TestWithoutTraceALineAllocatesNothing(t *testing.T) {
	h := history{log: slog.New(slog.NewJSONHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelDebug})).With("session", 1)}
	line := wire.Line{Bytes: []byte("PASS secret\r\n"), Begins: true, Ends: true}
	v := dialogue.Verdict{Secret: wire.Span{Start: 5, End: 11}}
	for range 200 { // until its room has grown
		h.command(line, v)
	}
	if n := testing.AllocsPerRun(1000, func() {
		h.command(line, v)
		h.reply(line, dialogue.NoReason)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
