package cli

import (
	"io"
	"log/slog"

	"ftpalg/alg"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/words"
)

// NewLog returns the program's log. Every line has a stable event name.
func NewLog(w io.Writer, f config.Format, level slog.Leveler) *slog.Logger {
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

// LogLevel returns the level that the configuration names.
func LogLevel(l config.Level) slog.Level {
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
