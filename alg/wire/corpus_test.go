package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"ftpalg/alg/wire"
)

// corpusLine is one line of a recorded stream and what must be seen in it.
type corpusLine struct{ stream, want string }

// corpus reads a file of streams: one paragraph each.
func corpus(t testing.TB, name string) (streams [][]corpusLine) {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for paragraph := range strings.SplitSeq(string(data), "\n\n") {
		var lines []corpusLine
		for s := range strings.Lines(paragraph) {
			if strings.HasPrefix(s, "#") {
				continue
			}
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				t.Fatalf("%s: %q: %v", name, s, err)
			}
			stream, _ := strconv.Unquote(quoted)
			arrow, want, ok := strings.Cut(s[len(quoted):], "=> ")
			if !ok || strings.TrimSpace(arrow) != "" {
				t.Fatalf("%s: %q has no expectation", name, s)
			}
			lines = append(lines, corpusLine{stream, strings.TrimSpace(want)})
		}
		if len(lines) > 0 {
			streams = append(streams, lines)
		}
	}
	return streams
}

// stream returns all of a paragraph's bytes.
func stream(lines []corpusLine) (data []byte) {
	for _, l := range lines {
		data = append(data, l.stream...)
	}
	return data
}

func TestCorpusOfCommands(t *testing.T) {
	for _, lines := range corpus(t, "commands.txt") {
		compare(t, &wire.CommandSplitter{}, lines, seenInCommand)
	}
}

func TestCorpusOfReplies(t *testing.T) {
	for _, lines := range corpus(t, "replies.txt") {
		var r wire.ReplyReader
		compare(t, &wire.ReplySplitter{}, lines, func(l wire.Line) string { return seenInReply(&r, l) })
	}
}

func compare(t *testing.T, s splitter, lines []corpusLine, seen func(wire.Line) string) {
	t.Helper()
	data := stream(lines)
	for _, want := range lines {
		line, n := s.Next(data)
		if string(line.Bytes) != want.stream {
			t.Fatalf("the line is %q, want %q", line.Bytes, want.stream)
		}
		if got := seen(line); got != want.want {
			t.Errorf("%q => %s\nwant %s", line.Bytes, got, want.want)
		}
		data = data[n:]
	}
}

func seenInCommand(l wire.Line) string {
	if l.Fault != wire.NoFault {
		return l.Fault.String()
	}
	c := wire.ParseCommand(l.Bytes)
	s := fmt.Sprintf("%s %+q", c.Verb, c.Arg.In(l.Bytes))
	switch c.Verb {
	case "":
		s = "?" + s
	case wire.PORT:
		s = seenHostPort("PORT", l.Bytes, parsePORT)
	case wire.EPRT:
		s = seenHostPort("EPRT", l.Bytes, parseEPRT)
	case wire.EPSV:
		s = "EPSV " + [...]string{"none", "all", "IPv4", "IPv6", "other"}[wire.ParseEPSV(l.Bytes, c.Arg)]
	}
	if c.Telnet > 0 {
		s += fmt.Sprintf(" telnet %d", c.Telnet)
	}
	if c.IAC {
		s += " IAC"
	}
	return s
}

func seenInReply(r *wire.ReplyReader, l wire.Line) string {
	reply := r.Line(l.Text())
	s := strconv.Itoa(reply.Code)
	switch {
	case reply.Stray:
		s = "stray"
	case reply.First && !reply.Final:
		s += " first"
	case reply.Final && !reply.First:
		s += " last"
	case !reply.Final:
		s += " text"
	}
	if reply.Final && reply.Code == wire.Code227Passive {
		s = seenHostPort(s, l.Bytes, wire.Parse227)
	}
	if reply.Final && reply.Code == wire.Code229Extended {
		s = seenHostPort(s, l.Bytes, wire.Parse229)
	}
	if l.Fault != wire.NoFault {
		s = l.Fault.String() + " " + s
	}
	return s
}

func seenHostPort(prefix string, line []byte, parse parser) string {
	h, err := parse(line)
	var e *wire.SyntaxError
	if errors.As(err, &e) {
		return prefix + " " + e.What + " " + e.Kind.String()
	}
	return fmt.Sprintf("%s %s in %+q", prefix, text(h), h.Span.In(line))
}

func TestUntouchedLinesCostNoMemory(t *testing.T) {
	commands := []byte("NOOP\r\nRETR a file\r\n\xff\xf4\xff\xf2ABOR\r\nXYZZY x\r\n" + strings.Repeat("x", 5000) + "\r\nQUIT\r\n")
	replies := bytes.Repeat([]byte("220-a\r\n220 b\nstray\r\n226 "+strings.Repeat("x", 5000)+"\r\n"), 3)
	var cs wire.CommandSplitter
	var rs wire.ReplySplitter
	var rr wire.ReplyReader
	allocs := testing.AllocsPerRun(100, func() {
		for data := commands; len(data) > 0; {
			line, n := cs.Next(data)
			data = data[n:]
			if c := wire.ParseCommand(line.Bytes); c.Verb.Transfers() != (c.Verb == wire.RETR) {
				t.Fatalf("%q", line.Bytes)
			}
		}
		for data := replies; len(data) > 0; {
			line, n := rs.Next(data)
			data = data[n:]
			rr.Line(line.Text())
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a run", allocs)
	}
}
