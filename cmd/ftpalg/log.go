package main

import (
	"io"
	"log/slog"

	"ftpalg/cmd/internal/cli"
	"ftpalg/cmd/internal/config"
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
	l.level.Set(cli.LogLevel(c.Level))
	return cli.NewLog(l.w, c.Format, &l.level)
}
