package alg

import (
	"context"
	"log/slog"
)

// LevelTrace is the level at which each line of a control connection is
// logged, below Debug. At other levels that costs nothing.
const LevelTrace = slog.LevelDebug - 4

// trace logs a line, passwords already starred, with what the other side got
// instead of it or why it got nothing.
func (h *history) trace(from Side, text, told []byte, refused string) {
	if !h.log.Enabled(context.Background(), LevelTrace) {
		return
	}
	h.log.Log(context.Background(), LevelTrace, "line", "event", "line", "from", from, "text", string(text),
		"told", string(told), "refused", refused)
}
