package main

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"ftpalg/deploy/lab/ftp"
)

func TestRulesAreBrokenBetweenMatches(t *testing.T) {
	const line = `-A FTPALG-FORWARD -s 203.0.113.10/32 -d 198.18.1.20/32 -p tcp -m tcp --dport 34567 ` +
		`-m conntrack --ctstate NEW --ctorigdst 203.0.113.1 --ctorigdstport 50000 -m comment --comment "ftpalg session 12 PASV 34" -j ACCEPT`
	const want = `    filter  -A FTPALG-FORWARD -s 203.0.113.10/32 -d 198.18.1.20/32 -p tcp
            -m tcp --dport 34567 -m conntrack --ctstate NEW
            --ctorigdst 203.0.113.1 --ctorigdstport 50000
            -m comment --comment "ftpalg session 12 PASV 34" -j ACCEPT
`
	var out strings.Builder
	(&page{w: &out}).rule(rule{"filter", line})
	if out.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", out.String(), want)
	}
	if joined := strings.Join(strings.Fields(out.String())[1:], " "); joined != line {
		t.Errorf("joined again it is\n%s\nwant\n%s", joined, line)
	}
}

func TestColourChangesNothingElse(t *testing.T) {
	write := func(color bool) string {
		var out strings.Builder
		p := &page{w: &out, color: color}
		p.fact("client received", good, strings.Repeat("bytes ", 20))
		p.rule(rule{"nat", "-A FTPALG-PREROUTING -j DNAT"})
		p.fact("why", plain, "because")
		return out.String()
	}
	sober, colourful := write(false), write(true)
	if strings.Contains(sober, "\x1b") {
		t.Errorf("escape sequences without colour: %q", sober)
	}
	if !strings.Contains(colourful, string(good)) {
		t.Errorf("no colour: %q", colourful)
	}
	if bare := strings.NewReplacer(string(good), "", string(faint), "", reset, "").Replace(colourful); bare != sober {
		t.Errorf("without its escape sequences:\n%s\nwant:\n%s", bare, sober)
	}
}

func TestPicturesAreStraight(t *testing.T) {
	for _, sc := range scenes() {
		lines := strings.Split(strings.TrimSuffix(sc.hosts.String(), "\n"), "\n")
		for _, line := range lines {
			if n := utf8.RuneCountInString(line); n != pictureWidth {
				t.Errorf("%s: %d columns, want %d: %s", sc.title, n, pictureWidth, line)
			}
		}
		want := []string{sc.hosts.client, sc.hosts.near, sc.hosts.far, sc.hosts.server}
		if got := strings.Fields(lines[3]); !slices.Equal(got, want) {
			t.Errorf("%s: addresses %q, want %q", sc.title, got, want)
		}
	}
}

func TestAPageStopsAtItsFirstError(t *testing.T) {
	w := &full{}
	p := &page{w: w}
	p.line("one")
	p.line("two")
	if w.writes != 1 || !errors.Is(p.err, errFull) {
		t.Errorf("%d writes, error %v; want 1, %v", w.writes, p.err, errFull)
	}
}

var errFull = errors.New("no space left on device")

type full struct{ writes int }

func (f *full) Write([]byte) (int, error) {
	f.writes++
	return 0, errFull
}

func TestOnlyADataConnectionThatCannotBeOpenedIsTheExpectedFailure(t *testing.T) {
	dial := &net.OpError{Op: "dial", Net: "tcp4", Err: errors.New("connect: network is unreachable")}
	tests := []struct {
		name     string
		err      error
		expected bool
	}{
		{"it worked", nil, false},
		{"no way to the address", dial, true},
		{"the server refused", &ftp.ReplyError{Command: "PASV"}, false},
		{"the control connection broke", &net.OpError{Op: "read", Err: errors.New("reset")}, false},
		{"broken off", &net.OpError{Op: "dial", Err: context.Canceled}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			failed, unexpected := dataFailure(ftp.PASV, tt.err)
			if (failed != nil) != tt.expected || (unexpected == nil) != tt.expected {
				t.Errorf("failed %v, unexpected %v; expected failure: %t", failed, unexpected, tt.expected)
			}
		})
	}
}
