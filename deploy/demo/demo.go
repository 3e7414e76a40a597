package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// prefix begins the names of the demo's hosts.
const prefix = "ftpalg-demo"

// Options say how the demo runs.
type Options struct {
	// Program is the path of the ftpalg that serves as the gateway.
	Program string
	// Color says that the output may hold ANSI escape sequences.
	Color bool
}

// Run shows the whole story on w, in lines of at most 80 columns. The error
// names every scene that did not go as it should; a *NeedError says what
// this machine lacks for it. When ctx ends, so does the story. Whatever Run
// returns, its hosts and their processes are gone by then.
func Run(ctx context.Context, w io.Writer, o Options) error {
	if err := checkNeeds(ctx); err != nil {
		return err
	}
	began := time.Now()
	s := &story{page: &page{w: w, color: o.Color}, program: o.Program}
	s.opening()
	failures := s.scenes(ctx)
	if s.unclean != nil {
		failures = append(failures, fmt.Errorf("clear away: %w", s.unclean))
	}
	if ctx.Err() != nil {
		failures = append(failures, fmt.Errorf("broken off: %w", context.Cause(ctx)))
	}
	if len(failures) > 0 {
		return fmt.Errorf("not everything went as it should:\n%w", errors.Join(failures...))
	}
	s.ending(time.Since(began))
	if s.page.err != nil {
		return fmt.Errorf("show the story: %w", s.page.err)
	}
	return nil
}
