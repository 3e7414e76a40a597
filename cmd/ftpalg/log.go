package main

import (
	"io"
	"log/slog"

	"ftpalg/cmd/internal/config"
)

// newLog returns the program's log. Every line has a stable event name.
func newLog(w io.Writer, f config.Format, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level}
	if f == config.FormatText {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

// levelTrace is below debug: what the peers say goes there.
const levelTrace = slog.LevelDebug - 4

func slogLevel(l config.Level) slog.Level {
	switch l {
	case config.LevelTrace:
		return levelTrace
	case config.LevelDebug:
		return slog.LevelDebug
	case config.LevelWarn:
		return slog.LevelWarn
	case config.LevelError:
		return slog.LevelError
	}
	return slog.LevelInfo
}
