package main

import (
	"io"
	"log/slog"

	"ftpalg/alg"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/words"
)

// logger makes the program's log.
type logger struct {
	w     io.Writer
	level slog.LevelVar
}

func newLogger(w io.Writer) *logger { return &logger{w: w} }

// with returns the log as the configuration wants it. What was returned before
// follows its level.
func (l *logger) with(c config.Log) *slog.Logger {
	l.level.Set(slogLevel(c.Level))
	return newLog(l.w, c.Format, &l.level)
}

// newLog returns the program's log. Every line has a stable event name.
func newLog(w io.Writer, f config.Format, level slog.Leveler) *slog.Logger {
	o := &slog.HandlerOptions{Level: level, ReplaceAttr: nameTrace}
	if f == config.FormatText {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(words.JSON(w), o))
}

// nameTrace gives the level that slog does not know its name.
func nameTrace(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.LevelKey && a.Value.Any() == alg.LevelTrace {
		a.Value = slog.StringValue("TRACE")
	}
	return a
}

func slogLevel(l config.Level) slog.Level {
	switch l {
	case config.LevelTrace:
		return alg.LevelTrace
	case config.LevelDebug:
		return slog.LevelDebug
	case config.LevelWarn:
		return slog.LevelWarn
	case config.LevelError:
		return slog.LevelError
	}
	return slog.LevelInfo
}
