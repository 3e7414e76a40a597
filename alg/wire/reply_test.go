package wire_test

import (
	"testing"

	"ftpalg/alg/wire"
)

func TestReplyReader(t *testing.T) {
	only := func(code int) wire.ReplyLine { return wire.ReplyLine{Code: code, First: true, Final: true} }
	first := func(code int) wire.ReplyLine { return wire.ReplyLine{Code: code, First: true} }
	text := func(code int) wire.ReplyLine { return wire.ReplyLine{Code: code} }
	last := func(code int) wire.ReplyLine { return wire.ReplyLine{Code: code, Final: true} }
	stray := wire.ReplyLine{Stray: true}
	type line struct {
		text string
		want wire.ReplyLine
	}
	tests := []struct {
		name  string
		lines []line
	}{
		{"single lines", []line{{"220 hi", only(220)}, {"226", only(226)}, {"226 ", only(226)}, {"000 x", only(0)}}},
		{"code before every line", []line{{"220-a", first(220)}, {"220-b", text(220)}, {"220 c", last(220)}, {"331 d", only(331)}}},
		{"code before the first and last only", []line{{"211-a", first(211)}, {" b", text(211)}, {"", text(211)}, {"211 c", last(211)}}},
		{"an announcement inside of another reply is text", []line{
			{"230-a", first(230)}, {"227 Entering (192,0,2,1,4,5)", text(230)}, {"229-x", text(230)}, {"230 b", last(230)},
		}},
		{"a code alone ends a reply", []line{{"211-a", first(211)}, {"211", last(211)}, {"211 b", only(211)}}},
		{"the same code with other text behind does not", []line{{"211-a", first(211)}, {"2111 b", text(211)}, {"211\tc", text(211)}, {"211:", text(211)}}},
		{"neither does an indented code", []line{{"211-a", first(211)}, {" 211 b", text(211)}, {"211 c", last(211)}}},
		{"a multi-line 227", []line{{"227-a", first(227)}, {"227 (192,0,2,1,4,5)", last(227)}}},
		{"no code is stray", []line{{"", stray}, {"22", stray}, {"hello", stray}, {"2200 x", stray}, {"22x y", stray}, {" 220 x", stray}, {"220\tx", stray}, {"-20 x", stray}, {"220 x", only(220)}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r wire.ReplyReader
			for _, l := range tt.lines {
				got := r.Line([]byte(l.text))
				if got != l.want {
					t.Errorf("%q: %+v, want %+v", l.text, got, l.want)
				}
				if open := !l.want.Final && !l.want.Stray; r.Open() != open {
					t.Errorf("%q: open is %t, want %t", l.text, r.Open(), open)
				}
			}
		})
	}
}
