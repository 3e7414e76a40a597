package alg_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The files of testdata/dialogues are dialogues of old and odd servers and
// clients, a step a line; blank lines and lines that begin with # are left
// out. Bytes are written as a Go string.
//
//	client says "PASV\r\n"     in one segment
//	server says "227 (1,2"
//	client gets "220 ready\r\n"     exactly this comes next, in any segments
//	server gets "PASV\r\n"
//	open PASV 50000 5000            these pinholes are open: mode, told port,
//	                                target port; "open" alone means none
//	wait 30s
//	server ends                     closes its side
//
// The client is 203.0.113.10 and reaches 203.0.113.1, the server is
// 198.18.1.20 and sees 198.18.1.1. In a file whose name ends in _over_ipv6
// the client is 2001:db8:1::10 and reaches 2001:db8:1::1, the server is
// 2001:db8:2::20 and sees 2001:db8:2::1. The only port of passive mode is
// 50000, of active mode 51000.
func TestCorpus(t *testing.T) {
	forEachDialogue(t, func(b *bench, file, text string) { playCorpus(b, file, text, writeWhole) })
}

// TestCorpusSurvivesParking parks the session before each byte that either
// side says, and lets it go on.
func TestCorpusSurvivesParking(t *testing.T) {
	forEachDialogue(t, func(b *bench, file, text string) {
		playCorpus(b, file, text, bytewise(func() {
			b.gateway.Park()
			b.gateway.Unpark()
		}))
	})
}

// TestCorpusSurvivesHandover hands the session to another gateway before each
// byte that either side says.
func TestCorpusSurvivesHandover(t *testing.T) {
	forEachDialogue(t, func(b *bench, file, text string) {
		playCorpus(b, file, text, bytewise(b.handOver))
	})
}

// writeWhole writes what is said in one segment.
func writeWhole(p *peer, text string) error {
	_, err := io.WriteString(p, text)
	return err
}

// bytewise writes what is said byte by byte and calls before ahead of each.
func bytewise(before func()) func(*peer, string) error {
	return func(p *peer, text string) error {
		for i := range len(text) {
			synctest.Wait()
			before()
			if _, err := io.WriteString(p, text[i:i+1]); err != nil {
				return err
			}
		}
		synctest.Wait()
		before()
		return nil
	}
}

// forEachDialogue has play play each dialogue on a bench of its own.
func forEachDialogue(t *testing.T, play func(b *bench, file, text string)) {
	files, err := filepath.Glob("testdata/dialogues/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			svc := fronting()
			if overIPv6(file) {
				svc.Server = ftpServer6
			}
			onBench(t, svc, onePort(testSettings()), func(b *bench) { play(b, file, string(text)) })
		})
	}
}

// overIPv6 reports whether a dialogue is one of IPv6.
func overIPv6(file string) bool { return strings.HasSuffix(file, "_over_ipv6.txt") }

// playCorpus plays the steps of one file; say writes what a side says.
func playCorpus(b *bench, file, text string, say func(*peer, string) error) {
	from, to := clientHost, outside
	if overIPv6(file) {
		from, to, b.kernel.Address = clientHost6, outside6, inside6
	}
	client := b.connect(from, to)
	server := newPeer(b.t, "server", b.kernel.Server())
	for i, step := range strings.Split(text, "\n") {
		if step = strings.TrimSpace(step); step == "" || step[0] == '#' {
			continue
		}
		if err := playStep(b, client, server, step, say); err != nil {
			b.t.Fatalf("%s:%d: %s: %v", file, i+1, step, err)
		}
	}
	synctest.Wait()
	client.hearsNothing()
	server.hearsNothing()
}

func playStep(b *bench, client, server *peer, step string, say func(*peer, string) error) error {
	words := strings.SplitN(step, " ", 3)
	switch words[0] {
	case "open":
		return sameOpen(b, strings.TrimSpace(strings.TrimPrefix(step, "open")))
	case "wait":
		d, err := time.ParseDuration(strings.TrimSpace(strings.TrimPrefix(step, "wait")))
		time.Sleep(d)
		return err
	}
	who, ok := map[string]*peer{"client": client, "server": server}[words[0]]
	switch {
	case !ok:
		return fmt.Errorf("unknown step")
	case len(words) == 2 && words[1] == "ends":
		return who.CloseWrite()
	case len(words) < 3:
		return fmt.Errorf("no bytes")
	}
	bytes, err := strconv.Unquote(words[2])
	switch {
	case err != nil:
		return err
	case words[1] == "says":
		err = say(who, bytes)
		synctest.Wait() // so that the next segment comes alone
		return err
	case words[1] == "gets":
		return who.gets(bytes)
	}
	return fmt.Errorf("neither says nor gets")
}

// gets reads as many bytes as want has and compares them.
func (p *peer) gets(want string) error {
	p.SetReadDeadline(time.Now().Add(time.Second))
	got := make([]byte, len(want))
	n, err := io.ReadFull(p.r, got)
	if string(got[:n]) != want {
		return fmt.Errorf("got %q, %v", got[:n], err)
	}
	return nil
}

// sameOpen compares the open pinholes with a list of mode, told port and
// target port each.
func sameOpen(b *bench, want string) error {
	synctest.Wait()
	var got []string
	for _, e := range b.kernel.Standing() {
		got = append(got, fmt.Sprintf("%s %d %d", e.Mode, e.Reached.Port(), e.Target.Port()))
	}
	if g := strings.Join(got, " "); g != want {
		return fmt.Errorf("open: %q", g)
	}
	return nil
}
