package wire_test

import (
	"bytes"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ftpalg/alg/wire"
)

// random returns piece sizes of 1 to 16 bytes that depend on seed alone.
func random(seed uint64) func() int {
	r := rand.New(rand.NewPCG(seed, 0))
	return func() int { return 1 + r.IntN(16) }
}

func FuzzCommandSplitter(f *testing.F) {
	for _, lines := range corpus(f, "commands.txt") {
		f.Add(stream(lines), uint8(0), uint64(1))
		f.Add(stream(lines), uint8(8), uint64(2))
	}
	f.Fuzz(func(t *testing.T, data []byte, most uint8, seed uint64) {
		want := commandLines(data, longest(most))
		for _, pieces := range []func() int{whole, bytewise, random(seed)} {
			got, rest := split(t, &wire.CommandSplitter{Max: int(most)}, data, pieces)
			if !slices.Equal(got, want) {
				t.Errorf("%q with Max %d:\n%q, want\n%q", data, most, got, want)
			}
			if len(rest) >= longest(most) || !bytes.HasSuffix(data, []byte(rest)) {
				t.Errorf("%q with Max %d: held %q", data, most, rest)
			}
		}
	})
}

func FuzzReplySplitter(f *testing.F) {
	for _, lines := range corpus(f, "replies.txt") {
		f.Add(stream(lines), uint8(0), uint64(1))
		f.Add(stream(lines), uint8(8), uint64(2))
	}
	f.Fuzz(func(t *testing.T, data []byte, most uint8, seed uint64) {
		want := replyLines(data, longest(most))
		for _, pieces := range []func() int{whole, bytewise, random(seed)} {
			got, rest := split(t, &wire.ReplySplitter{Max: int(most)}, data, pieces)
			if !slices.Equal(got, want) {
				t.Errorf("%q with Max %d:\n%q, want\n%q", data, most, got, want)
			}
			if len(rest) >= longest(most) || !bytes.HasSuffix(data, []byte(rest)) {
				t.Errorf("%q with Max %d: held %q", data, most, rest)
			}
		}
	})
}

// longest returns the limit that a Max stands for.
func longest(most uint8) int {
	if most == 0 {
		return 4096
	}
	return int(most)
}

func FuzzReplySplitterLosesNothing(f *testing.F) {
	for _, lines := range corpus(f, "replies.txt") {
		f.Add(stream(lines), uint8(8))
	}
	f.Fuzz(func(t *testing.T, data []byte, most uint8) {
		s := wire.ReplySplitter{Max: int(most)}
		var passed []byte
		rest := data
		for {
			line, n := s.Next(rest)
			passed, rest = append(passed, line.Bytes...), rest[n:]
			if line.Bytes == nil {
				break
			}
		}
		if passed = append(passed, rest...); !bytes.Equal(passed, data) {
			t.Errorf("%q became %q", data, passed)
		}
	})
}

func FuzzReplyReader(f *testing.F) {
	for _, lines := range corpus(f, "replies.txt") {
		f.Add(stream(lines))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var r wire.ReplyReader
		awaited := "" // the code that ends the open reply
		for text := range bytes.SplitSeq(data, []byte("\n")) {
			got := r.Line(text)
			m := codePattern.FindSubmatch(text)
			var want wire.ReplyLine
			switch {
			case awaited != "":
				want.Code = number(awaited)
				if m != nil && string(m[1]) == awaited && string(m[2]) != "-" {
					want.Final, awaited = true, ""
				}
			case m == nil:
				want.Stray = true
			default:
				want = wire.ReplyLine{Code: number(string(m[1])), First: true, Final: string(m[2]) != "-"}
				if !want.Final {
					awaited = string(m[1])
				}
			}
			if got != want || r.Open() != (awaited != "") {
				t.Fatalf("%q: %+v, want %+v", text, got, want)
			}
		}
	})
}

func number(digits string) (n int) {
	for _, c := range digits {
		n = n*10 + int(c-'0')
	}
	return n
}

func FuzzHostPort(f *testing.F) {
	for _, name := range []string{"commands.txt", "replies.txt"} {
		for _, lines := range corpus(f, name) {
			for _, l := range lines {
				f.Add([]byte(l.stream))
			}
		}
	}
	strictPort := strict229()
	f.Fuzz(func(t *testing.T, line []byte) {
		checkCommand(t, line)
		for _, code := range []string{"227", "229"} {
			if !bytes.HasPrefix(line, []byte(code+" ")) {
				continue
			}
			text := string(wire.Line{Bytes: line}.Text()[4:])
			if code == "227" {
				checkHostPort(t, line, wire.Parse227, strict227(text))
				continue
			}
			want := netip.AddrPort{}
			if port := strictPort(text); port != 0 {
				want = netip.AddrPortFrom(netip.Addr{}, port)
			}
			checkHostPort(t, line, wire.Parse229, want)
		}
	})
}

func checkCommand(t *testing.T, line []byte) {
	c := wire.ParseCommand(line)
	if c.Telnet > c.Name.Start || c.Name.End > c.Arg.Start || c.Arg.Start > c.Arg.End || c.Arg.End > len(line) {
		t.Fatalf("%q: spans overlap: %+v", line, c)
	}
	arg := string(c.Arg.In(line))
	checkHostPort(t, line, parsePORT, strictSix(strings.Trim(arg, blanks)))
	checkHostPort(t, line, parseEPRT, strictEPRT(arg))
}

// checkHostPort compares the parser with the strict reading of the same line,
// and requires that a rewritten line differs in the host-port alone.
func checkHostPort(t *testing.T, line []byte, parse parser, want netip.AddrPort) {
	t.Helper()
	h, err := parse(line)
	if got := netip.AddrPortFrom(h.Addr, h.Port); got != want || (err == nil) != (h.Port != 0) {
		t.Fatalf("%q: %v, error %v, want %v", line, got, err, want)
	}
	if err != nil {
		return
	}
	to := netip.MustParseAddrPort("203.0.113.80:50123")
	if h.Addr.Is6() {
		to = netip.MustParseAddrPort("[2001:db8:abcd:ef::80]:50123")
	}
	changed := h.Append(nil, line, to)
	again, err := parse(changed)
	if err != nil || again.Port != to.Port() || h.Addr.IsValid() && again.Addr != to.Addr() {
		t.Fatalf("%q became %q, read as %v %d, error %v", line, changed, again.Addr, again.Port, err)
	}
	if !bytes.Equal(changed[:again.Span.Start], line[:h.Span.Start]) || !bytes.Equal(changed[again.Span.End:], line[h.Span.End:]) {
		t.Fatalf("%q became %q: more than the host-port has changed", line, changed)
	}
}
