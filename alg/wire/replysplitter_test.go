package wire_test

import (
	"slices"
	"testing"

	"ftpalg/alg/wire"
)

func TestReplySplitter(t *testing.T) {
	tests := []struct {
		name   string
		stream string
		want   []string
		rest   string
	}{
		{"an incomplete line waits", "220 hi\r", nil, "220 hi\r"},
		{"CRLF throughout", "220-a\r\n220 b\r\n", []string{`"220-a\r\n"`, `"220 b\r\n"`}, ""},
		{"LF throughout", "220-a\n220 b\n227 c\n", []string{`"220-a\n"`, `"220 b\n"`, `"227 c\n"`}, ""},
		{"LF after CRLF: one reader goes on reading", "220 a\r\n211-x\n227 y\r\n226 z\r\n",
			[]string{`"220 a\r\n"`, `"211-x\n" bare LF`, `"227 y\r\n" bare LF`, `"226 z\r\n"`}, ""},
		{"CRLF after LF: one reader begins earlier", "220-a\n220 b\r\n227 c\r\n",
			[]string{`"220-a\n"`, `"220 b\r\n" bare LF`, `"227 c\r\n"`}, ""},
		{"LF after CRLF after LF", "a\nb\r\nc\nd\n", []string{`"a\n"`, `"b\r\n" bare LF`, `"c\n" bare LF`, `"d\n" bare LF`}, ""},
		{"CR inside", "227 a\rb\r\n", []string{`"227 a\rb\r\n" bare CR`}, ""},
		{"CR before CRLF", "227 a\r\r\n", []string{`"227 a\r\r\n" bare CR`}, ""},
		{"NUL inside", "227 a\x00\r\n", []string{`"227 a\x00\r\n" NUL`}, ""},
		{"CR NUL LF", "227 a\r\x00\n", []string{`"227 a\r\x00\n" bare CR`}, ""},
		{"NUL in an LF stream", "220 a\n227 \x00\n", []string{`"220 a\n"`, `"227 \x00\n" NUL`}, ""},
		{"LF CR", "220 a\n\r227 b\n", []string{`"220 a\n"`, `"\r227 b\n" bare CR`}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, pieces := range map[string]func() int{"whole": whole, "bytewise": bytewise} {
				lines, rest := split(t, &wire.ReplySplitter{}, []byte(tt.stream), pieces)
				if !slices.Equal(lines, tt.want) || rest != tt.rest {
					t.Errorf("%s: %q, rest %q\nwant %q, rest %q", name, lines, rest, tt.want, tt.rest)
				}
			}
		})
	}
}

func TestReplySplitterFragmentsOverlongLines(t *testing.T) {
	tests := []struct {
		name   string
		stream string
		want   []string
		rest   string
	}{
		{"as long as allowed", "220 56\r\n", []string{`"220 56\r\n"`}, ""},
		{"two fragments", "220 567890\r\n226 x\r\n",
			[]string{`"220 5678"… line too long`, `…"90\r\n" line too long`, `"226 x\r\n"`}, ""},
		{"three fragments", "220 56781234567890\n",
			[]string{`"220 5678"… line too long`, `…"12345678"… line too long`, `…"90\n" line too long`}, ""},
		{"cut between CR and LF it still ended in CRLF", "220 567\r\n226 x\n",
			[]string{`"220 567\r"… line too long`, `…"\n" line too long`, `"226 x\n" bare LF`}, ""},
		{"its CR is not the next line's", "220 567\r\n\n",
			[]string{`"220 567\r"… line too long`, `…"\n" line too long`, `"\n" bare LF`}, ""},
		{"ended in LF it leaves one reader behind", "220 x\r\n220 56789\n226 x\r\n",
			[]string{`"220 x\r\n"`, `"220 5678"… line too long`, `…"9\n" line too long`, `"226 x\r\n" bare LF`}, ""},
		{"a fragment never waits for its end", "220 56789", []string{`"220 5678"… line too long`}, "9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, pieces := range map[string]func() int{"whole": whole, "bytewise": bytewise} {
				lines, rest := split(t, &wire.ReplySplitter{Max: 8}, []byte(tt.stream), pieces)
				if !slices.Equal(lines, tt.want) || rest != tt.rest {
					t.Errorf("%s: %q, rest %q\nwant %q, rest %q", name, lines, rest, tt.want, tt.rest)
				}
			}
		})
	}
}
