package dialogue

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ftpalg/alg/wire"
)

var (
	fuzzClient = netip.MustParseAddr("203.0.113.10")
	fuzzServer = netip.MustParseAddr("198.18.1.20")
)

// FuzzHostileScripts lets both sides say anything: whatever they say, what is
// announced belongs to the two of them.
func FuzzHostileScripts(f *testing.F) {
	for _, seed := range []string{
		"s220 a\r\n\x00cPASV\r\n\x00s227 (198,18,1,20,19,136)\r\n",
		"s220-a\r\n 220 b\r\n220 c\r\n\x00cPORT 203,0,113,10,195,80\r\n\x00s200 ok\r\n\x00cRETR a\r\n\x00s150 a\r\n226 b\r\n",
		"s220 a\r\n\x00cAUTH TLS\r\nPASV\r\n\x00s234 ok\r\n227 (1,2,3,4,5,6)\r\n",
		"s220 a\r\n\x00cEPSV ALL\r\nEPSV\r\nPORT 203,0,113,10,195,80\r\n\x00s200 a\r\n229-x\r\n229 (|||5000|)\r\n",
		"s220 a\r\n\x00cRETR a\r\nABOR\r\nPASV\r\n\x00s150 a\r\n426 b\r\n226 c\r\n227 (1,2,3,4,19,5)\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		for _, convert := range []Convert{ConvertNothing, ConvertPassive, ConvertActive} {
			playHostile(t, script, convert)
		}
	})
}

// playHostile plays a script, of which each part is the client's or the server's.
func playHostile(t *testing.T, script []byte, convert Convert) {
	d := New(Policy{Convert: convert}, fuzzClient, fuzzServer)
	client, server := wire.CommandSplitter{Max: 256}, wire.ReplySplitter{Max: 256}
	var fromClient, fromServer []byte
	refused, answers, lines := 0, 0, 0
	judge := func(v Verdict, fromClient bool, wasOpaque bool) {
		if v.Action == Announce {
			a := v.Announcement
			if a.ServerMode != 0 && !a.ServerMode.Passive() {
				return // nobody waits
			}
			if a.ServerMode != 0 && (a.ServerAt.Addr() != fuzzServer || a.ServerAt.Port() < 1024) {
				t.Fatalf("the server's side of %s is at %s", a.Mode, a.ServerAt)
			}
			if h := a.At.Addr(); h != fuzzClient && h != fuzzServer || a.Mode.Passive() == (h == fuzzClient) {
				t.Fatalf("%s announces %s", a.Mode, a.At)
			}
			if a.At.Port() < 1024 || wasOpaque {
				t.Fatalf("announces %s, opaque %t", a.At, wasOpaque)
			}
		}
		if fromClient && (v.Action == Refuse || v.Action == Close) {
			refused++
		}
		answers += strings.Count(string(v.Answer), "\r\n")
		if n := d.pending.len(); n > maxPending+1 || cap(d.pending.items) > 4*maxPending {
			t.Fatalf("the queue holds %d of %d", n, cap(d.pending.items))
		}
		if len(d.group.held) > maxHeld || d.waiting < 0 || d.waiting > maxAnnounced {
			t.Fatalf("held %d bytes, %d announced", len(d.group.held), d.waiting)
		}
	}
	for _, part := range strings.Split(string(script), "\x00") {
		if part == "" {
			continue
		}
		if part[0] == 's' {
			fromServer = append(fromServer, part[1:]...)
		} else {
			fromClient = append(fromClient, strings.ReplaceAll(part[1:], "\x01", "\x00")...)
		}
		for progress := true; progress; {
			progress = false
			for !d.Opaque() {
				l, n := server.Next(fromServer)
				if l.Bytes == nil {
					break
				}
				lines++
				judge(d.Reply(l), false, false)
				fromServer = fromServer[n:]
				progress = true
			}
			for !d.Opaque() && !d.Waiting() {
				l, n := client.Next(fromClient)
				if l.Bytes == nil {
					fromClient = fromClient[n:]
					break
				}
				judge(d.Command(l), true, d.Opaque())
				fromClient = fromClient[n:]
				progress = true
			}
		}
	}
	// A 227 or 229 that is spoiled is answered with one line as well.
	if answers > refused+lines {
		t.Fatalf("%d answers for %d refused lines and %d lines of the server", answers, refused, lines)
	}
}

// FuzzOrderlyServer plays a server that answers every command once, in order:
// then every command must get exactly one final reply, in order, whoever
// gives it.
func FuzzOrderlyServer(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 128, 129, 130, 200, 201})
	f.Add([]byte{1, 4, 1, 4, 2, 4, 200, 200, 200, 200, 200, 200})
	f.Add([]byte{4, 9, 200, 201, 200, 1, 200, 201})
	f.Add([]byte("01290007\xff\xff0000\x80\x81\x82\xc8\xc9")) // ABOR with others behind it
	commands := []string{
		"NOOP", "PASV", "EPSV", "PORT 203,0,113,10,195,80", "RETR x", "PORT 1,2,3,4,195,80", "EPRT |1|203.0.113.10|5000|",
		"EPRT |2|::1|5000|", "LPRT 1", "ABOR", "STAT", "NOOP a\nb", "PORT 203,0,113,10,0,21", "EPSV ALL", "REIN", "STOR y", "LIST", "CWD \xffz",
		"XYZZY", "USER a", "QUIT", "pasv", "\xff\xf4\xff\xf2ABOR", "AUTH TLS",
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		d := New(Policy{}, fuzzClient, fuzzServer)
		client, server := wire.CommandSplitter{}, wire.ReplySplitter{Max: 64}
		var owed []int         // commands that the server has and has not answered
		var want, got []string // who answers each command, in order
		said := map[int]string{}
		var started bool // the first owed one has had its 1xx
		sent := 0
		deliver := func(v Verdict, line string) {
			if v.Action == Pass || v.Action == Announce {
				got = append(got, strings.TrimSpace(line))
			}
			for _, a := range strings.SplitAfter(string(v.Answer), "\r\n") {
				if a != "" {
					got = append(got, "own")
				}
			}
		}
		tell := func(text string) {
			data := []byte(text + "\r\n")
			whole := strings.HasPrefix(text[3:], " ") && text[0] != '1'
			for len(data) > 0 {
				l, n := server.Next(data)
				if l.Bytes == nil {
					t.Fatalf("not taken: %q", data)
				}
				v := d.Reply(l)
				if !whole || !l.Begins {
					if len(v.Answer) > 0 {
						t.Fatalf("an answer of our own in the middle of %q: %q", text, v.Answer)
					}
				} else {
					if !l.Ends && len(v.Answer) > 0 {
						t.Fatalf("an answer of our own inside of the line %q: %q", text, v.Answer)
					}
					deliver(v, text)
				}
				data = data[n:]
			}
		}
		tell("220 hello")
		got = nil
		for _, b := range script {
			if b < 128 {
				if d.Waiting() || d.Opaque() {
					continue
				}
				text := commands[int(b)%len(commands)]
				l, _ := client.Next([]byte(text + "\r\n"))
				v := d.Command(l)
				sent++
				switch v.Action {
				case Pass, Announce:
					if v.Action == Announce && b&64 != 0 {
						want = append(want, "own")
						deliver(d.Failed(v.Announcement.Number, "425 no"), "")
						continue
					}
					said[sent] = strings.ToUpper(strings.TrimPrefix(text, "\xff\xf4\xff\xf2"))
					owed = append(owed, sent)
					want = append(want, fmt.Sprintf("#%d", sent))
				default:
					want = append(want, "own")
					deliver(v, "")
				}
				continue
			}
			if len(owed) == 0 {
				continue
			}
			id := owed[0]
			verb, _, _ := strings.Cut(said[id], " ")
			transfers := slices.Contains([]string{"RETR", "STOR", "LIST"}, verb)
			if transfers && !started && b%2 == 0 {
				tell("150 opening")
				started = true
				continue
			}
			good := b%4 < 2 || started && b%8 != 3
			text := "200"
			switch {
			case !good:
				text = "550"
			case transfers, verb == "ABOR": // RFC 959 section 5.4
				text = "226"
			case verb == "PASV":
				text = "227 (198,18,1,20,19,136)"
			case said[id] == "EPSV":
				text = "229 (|||5000|)"
			}
			if b%16 >= 12 {
				tell(text[:3] + "-first")
			}
			if !strings.Contains(text, " ") {
				text += " "
			}
			owed, started = owed[1:], false
			tell(text + fmt.Sprintf(" #%d", id))
		}
		for i, g := range got {
			if i >= len(want) {
				t.Fatalf("reply %d, %q, answers nothing\nwant %q\ngot %q", i, g, want, got)
			}
			if w := want[i]; w == "own" && g != "own" || w != "own" && g != "own" && !strings.HasSuffix(g, " "+w) {
				t.Fatalf("reply %d is %q, want %q\nwant %q\ngot %q", i, g, w, want, got)
			}
		}
		if len(owed) == 0 && !d.Opaque() && len(got) != len(want) {
			t.Fatalf("%d commands, %d replies\nwant %q\ngot %q", len(want), len(got), want, got)
		}
	})
}
