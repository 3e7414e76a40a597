package capture_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ftpalg/alg/capture"
	"ftpalg/alg/capture/capturetest"
)

// side is where a dialogue is recorded: before the gateway or behind it.
type side struct {
	name, client, server string
	client6, server6     string // in a dialogue over IPv6
	// commands and replies are the steps that pass there.
	commands, replies string
	// passive and active say which of an open pinhole's ports, told or target,
	// is read there.
	passive, active int
}

const toldPort, targetPort = 1, 2

var sides = []side{
	{"before the gateway", "203.0.113.10:60001", "203.0.113.1:21", "[2001:db8:1::10]:60001", "[2001:db8:1::1]:21", "client says", "client gets", toldPort, targetPort},
	{"behind the gateway", "198.18.1.1:40001", "198.18.1.20:21", "[2001:db8:2::1]:40001", "[2001:db8:2::20]:21", "server gets", "server says", targetPort, toldPort},
}

// TestCorpus records the dialogues that the gateway's own tests play (their
// format is described in alg/corpus_test.go), on either side of the gateway,
// and reads the captures. Whatever the gateway opens is found on both, with
// the same port, in the same order.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("../testdata/dialogues/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range sides {
			if strings.HasSuffix(file, "_over_ipv6.txt") {
				at.client, at.server = at.client6, at.server6
			}
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+" "+at.name, func(t *testing.T) {
				tape, opened := at.record(t, string(text))
				got := inspect(t, capturetest.Pcap(tape.Packets, capturetest.Ethernet, 0))
				if len(got.sessions) != 1 {
					t.Fatalf("%d sessions", len(got.sessions))
				}
				if found := obeyed(got.announcements); !isSubsequence(opened, found) {
					t.Errorf("the gateway opens %q, found are %q", opened, found)
				}
			})
		}
	}
}

// record records what passes here of a dialogue. It returns the data
// connections that the gateway opens, by mode and port.
func (at side) record(t *testing.T, text string) (tape *capturetest.Tape, opened []string) {
	t.Helper()
	tape = capturetest.NewTape()
	c := tape.Conn(at.client, at.server).Open()
	for _, step := range strings.Split(text, "\n") {
		step = strings.TrimSpace(step)
		words := strings.SplitN(step, " ", 3)
		if words[0] == "open" {
			opened = at.appendNew(opened, strings.Fields(step)[1:])
		}
		isReply := strings.HasPrefix(step, at.replies)
		if len(words) < 3 || !isReply && !strings.HasPrefix(step, at.commands) {
			continue
		}
		said, err := strconv.Unquote(words[2])
		if err != nil {
			t.Fatalf("%s: %v", step, err)
		}
		c.Record(c.Make(isReply, said))
	}
	return tape, opened
}

// appendNew appends those of the open pinholes that were not open before.
func (at side) appendNew(opened, open []string) []string {
	for ; len(open) >= 3; open = open[3:] {
		port := open[at.active]
		if open[0] == "PASV" || open[0] == "EPSV" {
			port = open[at.passive]
		}
		if one := open[0] + " " + port; !slices.Contains(opened, one) {
			opened = append(opened, one)
		}
	}
	return opened
}

// obeyed returns the announcements that a gateway would have obeyed.
func obeyed(all []*capture.Announcement) (out []string) {
	for _, a := range all {
		if a.Reason == "" {
			out = append(out, fmt.Sprintf("%s %d", a.Mode, a.At.Port()))
		}
	}
	return out
}

// isSubsequence reports whether all of want stand in got, in their order.
func isSubsequence(want, got []string) bool {
	for _, w := range want {
		i := slices.Index(got, w)
		if i < 0 {
			return false
		}
		got = got[i+1:]
	}
	return true
}
