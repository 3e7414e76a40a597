package capture_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"

	"ftpalg/alg/capture"
	"ftpalg/alg/capture/capturetest"
)

// finding is one announcement, as far as it must be found in any capture.
type finding struct {
	Session uint64
	Frame   uint64
	Line    string // "PASV 192.0.2.1:5000"
}

func findingOf(a *capture.Announcement) finding {
	return finding{a.Session.Number, a.Frame, fmt.Sprintf("%s %s", a.Mode, a.Said)}
}

// inspected is all that an Analyzer reported.
type inspected struct {
	findings      []finding
	announcements []*capture.Announcement
	sessions      []*capture.Session
	stats         capture.Stats
	err           error
}

// inspect runs an Analyzer over a file.
func inspect(t testing.TB, file []byte) inspected {
	t.Helper()
	r, err := capture.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	var out inspected
	a := capture.NewAnalyzer(capture.Options{
		Announced: func(a *capture.Announcement) {
			out.announcements = append(out.announcements, a)
			out.findings = append(out.findings, findingOf(a))
		},
		Ended: func(s *capture.Session) { out.sessions = append(out.sessions, s) },
	})
	for {
		f, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			out.err = err
			break
		}
		a.Add(f)
	}
	a.Finish()
	out.stats = a.Stats()
	return out
}

// login passes a session's first lines.
func login(c *capturetest.Conn) *capturetest.Conn {
	c.Open()
	c.ServerSays("220 ready\r\n")
	c.ClientSays("USER anna\r\n")
	c.ServerSays("331 password\r\n")
	c.ClientSays("PASS secret\r\n")
	c.ServerSays("230 welcome\r\n")
	return c
}
