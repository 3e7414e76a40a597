package dialogue

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"ftpalg/alg/wire"
)

// A script is a dialogue in lines: "C: " the client says, "S: " the server
// says, and what is expected of the gateway follows indented:
//
//	> line      goes on to the other side
//	< line      the gateway's own answer to the client
//	! reason    the verdict's reason
//	@ 1 PASV 198.18.1.20:5000   announcement 1
//	- 1 used    announcement 1 has ended
//	wait        the client's line must wait for the server
//	opaque      nothing may be read any more
type script struct {
	t      *testing.T
	d      *Dialogue
	client wire.CommandSplitter
	server wire.ReplySplitter
	out    []string
	open   map[uint64]bool
}

func newScript(t *testing.T, p Policy, client, server string) *script {
	return &script{
		t: t, d: New(p, netip.MustParseAddr(client), netip.MustParseAddr(server)),
		open: make(map[uint64]bool),
	}
}

func (s *script) say(format string, args ...any) { s.out = append(s.out, fmt.Sprintf(format, args...)) }

func (s *script) run(line string) {
	s.out = append(s.out, line)
	text, fromClient := strings.CutPrefix(line, "C: ")
	if !fromClient {
		text = strings.TrimPrefix(line, "S: ")
	}
	text = strings.NewReplacer(`\n`, "\n", `\r`, "\r", `\0`, "\x00", `\xff`, "\xff", `\xf4`, "\xf4", `\xf2`, "\xf2", `\x16`, "\x16").Replace(text)
	if !strings.HasSuffix(text, "\n") {
		text += "\r\n"
	}
	data := []byte(text)
	if fromClient && s.d.Waiting() {
		s.say("  wait")
		return
	}
	next := s.server.Next
	judge := s.d.Reply
	if fromClient {
		next, judge = s.client.Next, s.d.Command
	}
	for len(data) > 0 {
		l, n := next(data)
		if l.Bytes == nil {
			break
		}
		s.tell(judge(l), l)
		data = data[n:]
	}
}

func (s *script) tell(v Verdict, l wire.Line) {
	for n := uint64(1); n <= 99; n++ {
		if s.open[n] && v.Drop.Ends(n) {
			delete(s.open, n)
			how := "dropped"
			if v.Drop.By == Used {
				how = "used"
			}
			s.say("  - %d %s", n, how)
		}
	}
	if v.Reason != NoReason {
		s.say("  ! %s", v.Reason)
	}
	switch v.Action {
	case Pass:
		if v.Line != nil {
			l.Bytes = v.Line
		}
		s.say("  > %s", strings.NewReplacer("\x00", `\0`, "\xff", `\xff`, "\xf4", `\xf4`, "\xf2", `\xf2`).Replace(strings.TrimRight(string(l.Bytes), "\r\n")))
	case Announce:
		a := v.Announcement
		s.open[a.Number] = true
		s.say("  @ %d %s %s", a.Number, a.Mode, a.At)
		told := netip.MustParseAddrPort("203.0.113.1:50000")
		if a.At.Addr().Is6() != s.d.converts() {
			told = netip.MustParseAddrPort("[2001:db8::1]:50000")
		}
		for _, one := range strings.Split(strings.TrimRight(string(v.Before)+string(a.Rewrite(nil, l.Bytes, told)), "\r\n"), "\r\n") {
			s.say("  > %s", one)
		}
	case Close:
		s.say("  close")
	}
	if v.Opaque {
		s.say("  opaque")
	}
	for _, one := range strings.SplitAfter(string(v.Answer), "\r\n") {
		if one != "" {
			s.say("  < %s", strings.TrimSuffix(one, "\r\n"))
		}
	}
}

// said extracts what was said from a whole script with its expectations.
func said(lines []string) (out []string) {
	for _, l := range lines {
		if strings.HasPrefix(l, "C: ") || strings.HasPrefix(l, "S: ") {
			out = append(out, l)
		}
	}
	return out
}

func TestDialogues(t *testing.T) {
	for _, file := range goldens(t) {
		t.Run(file.name, func(t *testing.T) {
			s := newScript(t, file.policy, file.client, file.server)
			for _, l := range said(file.lines) {
				s.run(l)
			}
			got, want := strings.Join(s.out, "\n"), strings.Join(file.lines, "\n")
			if got != want {
				t.Errorf("the dialogue went\n%s\n\nwant\n%s", got, want)
			}
		})
	}
}
