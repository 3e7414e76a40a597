package cli

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"ftpalg/alg"
	"ftpalg/cmd/internal/config"
)

func TestTraceHasANameInBothForms(t *testing.T) {
	for f, want := range map[config.Format]string{
		config.FormatJSON: `"level":"TRACE","msg":"line","event":"line","level2":"DEBUG-4"`,
		config.FormatText: `level=TRACE msg=line event=line level2=DEBUG-4`,
	} {
		var b bytes.Buffer
		log := NewLog(&b, f, LogLevel(config.LevelTrace))
		log.Log(context.Background(), alg.LevelTrace, "line", "event", "line", "level2", alg.LevelTrace)
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s: %s lacks %s", f, b.String(), want)
		}
	}
}

func TestLevelsAreThoseOfTheConfiguration(t *testing.T) {
	all := []config.Level{config.LevelTrace, config.LevelDebug, config.LevelInfo, config.LevelWarn, config.LevelError}
	written := []slog.Level{alg.LevelTrace, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	for i, l := range all {
		log := NewLog(new(bytes.Buffer), config.FormatJSON, LogLevel(l))
		for j, w := range written {
			if got := log.Enabled(context.Background(), w); got != (j >= i) {
				t.Errorf("log.level %s: %s is written: %v", l, w, got)
			}
		}
	}
}
