package wire_test

import (
	"slices"
	"strings"
	"testing"

	"ftpalg/alg/wire"
)

func TestCommandSplitter(t *testing.T) {
	tests := []struct {
		name   string
		stream string
		want   []string
		rest   string
	}{
		{"nothing", "", nil, ""},
		{"an incomplete line waits", "USER", nil, "USER"},
		{"a CR alone waits", "USER x\r", nil, "USER x\r"},
		{"many lines in one piece", "USER a\r\nPASS b\r\nPAS", []string{`"USER a\r\n"`, `"PASS b\r\n"`}, "PAS"},
		{"empty lines are lines", "\r\n\r\n", []string{`"\r\n"`, `"\r\n"`}, ""},

		{"LF inside of a CRLF line is one faulty line", "NOOP\r\nSTOR x\nPORT 1,2,3,4,5,6\r\nNOOP\r\n",
			[]string{`"NOOP\r\n"`, `"STOR x\nPORT 1,2,3,4,5,6\r\n" bare LF`, `"NOOP\r\n"`}, ""},
		{"CR inside", "NOOP\r\nSTOR x\rPORT\r\n", []string{`"NOOP\r\n"`, `"STOR x\rPORT\r\n" bare CR`}, ""},
		{"CR before CRLF", "NOOP\r\nNOOP\r\r\n", []string{`"NOOP\r\n"`, `"NOOP\r\r\n" bare CR`}, ""},
		{"NUL inside", "NOOP\r\nSTOR x\x00y\r\n", []string{`"NOOP\r\n"`, `"STOR x\x00y\r\n" NUL`}, ""},
		{"CR NUL LF is a CR in a path, the first byte names the fault", "NOOP\r\nSTOR x\r\x00\nPORT\r\n",
			[]string{`"NOOP\r\n"`, `"STOR x\r\x00\nPORT\r\n" bare CR`}, ""},
		{"LF CR ends nothing", "NOOP\r\nSTOR x\n\rPORT\r\n", []string{`"NOOP\r\n"`, `"STOR x\n\rPORT\r\n" bare LF`}, ""},
		{"other line separators are text", "NOOP\r\nSTOR x\v\f\u2028\u0085y\r\n",
			[]string{`"NOOP\r\n"`, `"STOR x\v\f\u2028\u0085y\r\n"`}, ""},
		{"a fault in the first line", "STOR\x00x\r\nNOOP\r\n", []string{`"STOR\x00x\r\n" NUL`, `"NOOP\r\n"`}, ""},

		{"LF alone ends every line after an LF line", "USER a\nPASS b\n", []string{`"USER a\n"`, `"PASS b\n"`}, ""},
		{"CRLF after an LF line has a CR inside", "USER a\nPASS b\r\nNOOP\n",
			[]string{`"USER a\n"`, `"PASS b\r\n" bare CR`, `"NOOP\n"`}, ""},
		{"NUL in an LF line", "USER a\nPASS \x00\n", []string{`"USER a\n"`, `"PASS \x00\n" NUL`}, ""},
		{"CR NUL LF first means LF", "STOR x\r\x00\nPORT 1\r\n",
			[]string{`"STOR x\r\x00\n" bare CR`, `"PORT 1\r\n" bare CR`}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, pieces := range map[string]func() int{"whole": whole, "bytewise": bytewise} {
				lines, rest := split(t, &wire.CommandSplitter{}, []byte(tt.stream), pieces)
				if !slices.Equal(lines, tt.want) || rest != tt.rest {
					t.Errorf("%s: %q, rest %q\nwant %q, rest %q", name, lines, rest, tt.want, tt.rest)
				}
			}
		})
	}
}

func TestCommandSplitterCutsOverlongLines(t *testing.T) {
	tests := []struct {
		name   string
		stream string
		want   []string
		rest   string
	}{
		{"as long as allowed", "SIZE 5\r\n", []string{`"SIZE 5\r\n"`}, ""},
		{"one byte too long", "SIZE 56\r\nNOOP\r\n", []string{`"SIZE 56\r" line too long`, `"NOOP\r\n"`}, ""},
		{"the rest is swallowed", "STOR 56789abcdef\r\nNOOP\r\n", []string{`"STOR 567" line too long`, `"NOOP\r\n"`}, ""},
		{"so is a rest without end", "STOR 56789abcdef", []string{`"STOR 567" line too long`}, ""},
		{"twice", "STOR 567890\r\nRETR 567890\r\n", []string{`"STOR 567" line too long`, `"RETR 567" line too long`}, ""},
		{"LF does not end it where CRLF does", "NOOP\r\nSTOR 56789\nPORT\r\nNOOP\r\n",
			[]string{`"NOOP\r\n"`, `"STOR 567" line too long`, `"NOOP\r\n"`}, ""},
		{"an over-long first line decides: LF", "STOR 56789\nNOOP\n", []string{`"STOR 567" line too long`, `"NOOP\n"`}, ""},
		{"an over-long first line decides: CRLF", "STOR 56789\r\nA\nB\r\n",
			[]string{`"STOR 567" line too long`, `"A\nB\r\n" bare LF`}, ""},
		{"the CR is the last byte that fits", "STOR 56\r\nA\nB\r\n",
			[]string{`"STOR 56\r" line too long`, `"A\nB\r\n" bare LF`}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, pieces := range map[string]func() int{"whole": whole, "bytewise": bytewise} {
				lines, rest := split(t, &wire.CommandSplitter{Max: 8}, []byte(tt.stream), pieces)
				if !slices.Equal(lines, tt.want) || rest != tt.rest {
					t.Errorf("%s: %q, rest %q\nwant %q, rest %q", name, lines, rest, tt.want, tt.rest)
				}
			}
		})
	}
}

func TestLinesOf4096BytesFitUnlessToldOtherwise(t *testing.T) {
	fits := strings.Repeat("x", 4094) + "\r\n"
	for name, s := range map[string]splitter{"commands": &wire.CommandSplitter{}, "replies": &wire.ReplySplitter{}} {
		if line, _ := s.Next([]byte(fits)); line.Fault != wire.NoFault || len(line.Bytes) != 4096 {
			t.Errorf("%s: 4096 bytes: %d bytes, %v", name, len(line.Bytes), line.Fault)
		}
		if line, _ := s.Next([]byte("x" + fits)); line.Fault != wire.TooLong || len(line.Bytes) != 4096 {
			t.Errorf("%s: 4097 bytes: %d bytes, %v", name, len(line.Bytes), line.Fault)
		}
	}
}

func TestLineTextHasNoTerminator(t *testing.T) {
	for in, want := range map[string]string{
		"NOOP\r\n": "NOOP", "NOOP\n": "NOOP", "NOOP\r": "NOOP\r", "NOOP": "NOOP", "\r\n": "", "\n": "", "": "", "a\r\r\n": "a\r",
	} {
		if got := (wire.Line{Bytes: []byte(in)}).Text(); string(got) != want {
			t.Errorf("Text of %q is %q, want %q", in, got, want)
		}
	}
}

func TestFaultsHaveNames(t *testing.T) {
	for f, want := range map[wire.Fault]string{
		wire.NoFault: "no fault", wire.BareLF: "bare LF", wire.BareCR: "bare CR",
		wire.NUL: "NUL", wire.TooLong: "line too long", 99: "Fault(99)",
	} {
		if got := f.String(); got != want {
			t.Errorf("%d: %q, want %q", f, got, want)
		}
	}
}
