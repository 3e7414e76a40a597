package top

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// Batch prints the gateway's state as plain text, as wide as it needs to be,
// once a second: times times, or until ctx ends if that is 0. It ends with
// the first question that is not answered.
func Batch(ctx context.Context, g Gateway, w io.Writer, times int) error {
	m := NewModel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for n := 1; ; n++ {
		s := ask(g, 0)
		if s.Err != nil {
			return s.Err
		}
		m.Take(s)
		if _, err := io.WriteString(w, m.plain()); err != nil {
			return fmt.Errorf("print: %w", err)
		}
		if n == times {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// batchWidth is that of plain text, in characters.
const batchWidth = 200

// plain renders header and table without the ends of lines that are blank.
func (m *Model) plain() string {
	var b strings.Builder
	for _, l := range append(m.header(batchWidth), m.table(batchWidth, unlimited)...) {
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
	}
	return b.String() + "\n"
}
