package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"ftpalg/alg/capture"
	"ftpalg/cmd/internal/config"
)

// Options says what is told, and where.
type Options struct {
	Out io.Writer
	// JSON prints one object for each announcement instead of the words.
	JSON bool
	// Config is the configuration whose answers are shown beside; nil for
	// none.
	Config *config.Config
	// Live says that packets come as they are sent: what is known is printed
	// after a while, not at the end.
	Live bool
	// Progress is called now and then with the frames read; nil for nobody.
	Progress func(frames uint64)
}

// Source yields frames until io.EOF, as capture.Reader does.
type Source interface {
	Next() (capture.Frame, error)
}

// progressEvery is how many frames are read between two calls of Progress.
const progressEvery = 1 << 14

// Run reads source to its end, or until ctx ends, and prints what it shows. If
// it cannot be read to its end, what was found until then is printed, and the
// error says where that was.
func Run(ctx context.Context, source Source, o Options) error {
	gateway := newGateway(o.Config)
	var out printer = newStory(o, gateway)
	if o.JSON {
		out = newRecords(o, gateway)
	}
	a := capture.NewAnalyzer(capture.Options{Policy: gateway.policy, Announced: out.announced, Ended: out.ended})
	cause := read(ctx, source, a, out, o.Progress)
	a.Finish()
	if err := out.finish(a.Stats(), cause); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return cause
}

// printer prints what an Analyzer reports.
type printer interface {
	announced(*capture.Announcement)
	ended(*capture.Session)
	// tick is called with the time of the latest frame.
	tick(now time.Time)
	// finish prints the rest. Cause is why the capture could not be read to
	// its end, if so. The error is the first that writing met.
	finish(s capture.Stats, cause error) error
}

func read(ctx context.Context, source Source, a *capture.Analyzer, out printer, progress func(uint64)) error {
	for ctx.Err() == nil {
		f, err := source.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		a.Add(f)
		out.tick(f.Time)
		if progress != nil && f.Number%progressEvery == 0 {
			progress(f.Number)
		}
	}
	return nil
}
