package words

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON returns a writer of JSON to w whose strings cannot move a terminal's
// cursor: what no font shows is written as \u escapes, which mean the same
// (RFC 8259 section 7). Each Write is a whole text.
func JSON(w io.Writer) io.Writer { return jsonWriter{w} }

type jsonWriter struct{ w io.Writer }

// Write implements io.Writer.
func (j jsonWriter) Write(text []byte) (int, error) {
	if _, err := j.w.Write(escaped(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

// escaped returns text, or a copy where something must be escaped.
func escaped(text []byte) []byte {
	var out []byte
	done := 0
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRune(text[i:])
		}
		// Below U+0020 is the white space between values.
		if r >= ' ' && !unicode.IsPrint(r) {
			out = appendEscape(append(out, text[done:i]...), r)
			done = i + size
		}
		i += size
	}
	if done == 0 {
		return text
	}
	return append(out, text[done:]...)
}

func appendEscape(b []byte, r rune) []byte {
	if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}
