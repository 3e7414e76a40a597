package capture

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"ftpalg/alg/wire"
)

// maxShown is how much of an argument is kept to be shown, in bytes.
const maxShown = 80

// printable returns text as one line that a terminal can bear.
func printable(text []byte) string {
	text = bytes.TrimSpace(text)
	short := text[:min(len(text), maxShown)]
	out := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError || 0x80 <= r && r < 0xa0 || r == 0x2028 || r == 0x2029 || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069 {
			return '?'
		}
		return r
	}, string(short))
	if len(short) < len(text) {
		out += "…"
	}
	return out
}

// behindLF returns the offset behind the first LF, 0 if there is none.
func behindLF(data []byte) int { return bytes.IndexByte(data, '\n') + 1 }

// replyLike reports whether a line begins as a reply does.
func replyLike(line []byte) bool {
	var r wire.ReplyReader
	return !r.Line(bytes.TrimRight(line, "\r\n")).Stray
}
