package e2e

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// odd is a line that two parties could read differently, or that a lenient
// server obeys.
type odd struct {
	line string
	// refused says that the gateway must answer it itself.
	refused bool
}

// oddCRLF comes from a client whose lines end in CRLF, the lines without their
// last one.
var oddCRLF = []odd{
	{"NOOP", false},
	{"noop", false},
	{"nOoP", false},
	{"NOOP ", false},
	{"NOOP  two blanks", false},
	{" NOOP", false},
	{"\tNOOP", false},
	{"NOOP\ttab", false},
	{"   ", false},
	{"XYZZY", false},
	{"SIZE p\xc3\xa4th", false},
	{"SIZE \x01\x02\x7f", false},
	{"CWD /pub/../pub", false},
	{"CWD /", false},
	{"SIZE a\xff\xffb", false},
	{"SIZE a\xffb", false},
	{"SIZE a\xff\xf1b", false},
	{"SIZE a\xff", false},
	{"TYPE I", false},
	{"type i", false},
	{"SITE PORT 203,0,113,10,200,10", false},
	{"NOOP PORT 203,0,113,10,200,10", false},
	{"PORTX 203,0,113,10,200,10", false},
	{"XPORT 203,0,113,10,200,10", false},
	{strings.Repeat("x", 4000), false},

	{"NOOP\nPORT 203,0,113,10,200,10", true},
	{"NOOP\n", true},
	{"\nNOOP", true},
	{"NOOP\rPORT 203,0,113,10,200,10", true},
	{"NOOP\r", true},
	{"NOOP\x00", true},
	{"NOOP\r\x00PORT 203,0,113,10,200,10", true},
	{"PORT 203,0,113,10,200,10\x00", true},
	{"PO\x00RT 203,0,113,10,200,10", true},
	{"PO\xff\xf1RT 203,0,113,10,200,10", true},
	{"\xff\xf1PORT 203,0,113,10,200,10", true},
	{"\xff\xfb\x01PORT 203,0,113,10,200,10", true},
	{"PORT 203,0,113,10,200,\xff\xf110", true},
	{"PORT 198,18,1,1,200,10", true},
	{"PORT 203,0,113,10,3,255", true},
	{"PORT 203,0,113,10,256,10", true},
	{"PORT 203,0,113,10,200", true},
	{"PORT 203,0,113,10,200,10,10", true},
	{"PORT", true},
	{"PORT  ", true},
	{" PORT 198,18,1,1,200,10", true},
	{"port 198,18,1,1,200,10", true},
	{"PORT\t198,18,1,1,200,10", true},
	{"EPRT |1|198.18.1.1|51210|", true},
	{"EPRT |2|2001:db8::1|51210|", true},
	{"EPRT |3|203.0.113.10|51210|", true},
	{"EPRT |1|203.0.113.10|21|", true},
	{"EPRT |1|203.0.113.10|51210", true},
	{"LPRT 4,4,203,0,113,10,2,200,10", true},
	{"LPSV", true},
	{"NOOP " + strings.Repeat("x", 5000), true},
	{strings.Repeat("PORT 203,0,113,10,200,10 ", 400), true},
}

// oddLF comes from a client whose lines end in LF alone.
var oddLF = []odd{
	{"NOOP", false},
	{" noop", false},
	{"CWD /pub", false},
	{"NOOP\rPORT 203,0,113,10,200,10", true},
	{"NOOP\x00", true},
	{"PORT 198,18,1,1,200,10", true},
}

func TestServerTakesTheCommandsThatTheGatewayPassed(t *testing.T) {
	for _, tt := range []struct {
		name, terminator string
		corpus           []odd
	}{{"lines end in CRLF", "\r\n", oddCRLF}, {"lines end in LF", "\n", oddLF}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			need(t, "vsftpd")
			s := newHosts(t, lab.Inbound)
			s.server = startVsftpd(t, s.Server, netip.MustParseAddr("127.0.0.1"), "log_ftp_protocol=YES")
			recorder := record(t, s.Server, netip.AddrPortFrom(s.Own, 21), "127.0.0.1:21")
			g := startGateway(t, s.Gateway, settings{listeners: fronting})
			c := s.dialClient(t)
			try(t, c.Send("USER anonymous"+tt.terminator))
			wants(t, c, 230)
			for n, o := range tt.corpus {
				t.Run(fmt.Sprintf("%.40q", o.line), func(t *testing.T) { o.try(t, c, g, recorder, tt.terminator, n) })
			}
			try(t, c.Send("QUIT"+tt.terminator))
			wants(t, c, 221)
			compareLogged(t, s.server, recorder.sent())
		})
	}
}

// vsftpd answers nothing to an empty line, other servers do.
func TestEmptyLinesShiftNoReplies(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	for _, m := range allModes() {
		t.Run(string(m), func(t *testing.T) {
			c := s.connect(t)
			try(t, c.Send("\r\n\r\n"))
			fetch(t, c, s.server.files, m, "pub/file")
			says(t, c, "PORT 203,0,114,10,200,10", 501)
			says(t, c, "NOOP", 200)
			try(t, c.Quit())
		})
	}
	g.closedAgain(t)
}

// dialClient opens a session from the client host that is not logged in.
func (s *scene) dialClient(t *testing.T) *ftp.Client {
	t.Helper()
	c, err := s.tryConnect(t, s.Client, s.Contact)
	try(t, err)
	return c
}

// try sends the line with a command behind it whose reply marks its end.
func (o odd) try(t *testing.T, c *ftp.Client, g *gateway, r *recorder, terminator string, n int) {
	before := len(r.sent())
	marker := fmt.Sprintf("ALLO %d", n)
	try(t, c.Send(o.line+terminator+marker+terminator))
	var answers []ftp.Reply
	for {
		reply, err := c.Read()
		try(t, err)
		if reply.Code == 202 { // ALLO's, and nothing else's, in vsftpd
			break
		}
		answers = append(answers, reply)
	}
	passed := r.sent()[before:]
	want := o.line + terminator + marker + terminator
	if len(answers) != 1 || o.refused && answers[0].Code < 500 {
		t.Errorf("it was answered %v, want one reply, refused %v", answers, o.refused)
	}
	if o.refused {
		want = marker + terminator
		if now := g.rules(t); now != g.quiet {
			t.Errorf("it changed the rules:\n%s", difference(now, g.quiet))
		}
	}
	if passed != want {
		t.Errorf("the server was sent %.80q, want %.80q", passed, want)
	}
	if open := g.pinholes(t); len(open) > 0 {
		t.Errorf("it opened %+v", open)
	}
}

// compareLogged holds that the server took every line that was passed, and
// none besides, for one command.
func compareLogged(t *testing.T, s *vsftpd, sent string) {
	t.Helper()
	var want []string
	for line := range strings.Lines(sent) {
		want = append(want, asLogged(strings.TrimRight(line, "\r\n")))
	}
	if got := s.logged(t, `FTP command: Client "127.0.0.1", "(.*)"\n`); !slices.Equal(got, want) {
		t.Errorf("the server took %d commands, %d lines were passed", len(got), len(want))
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Fatalf("number %d differs: the server took %.80q, passed was %.80q", i+1, got[i:min(i+1, len(got))], want[i:min(i+1, len(want))])
			}
		}
	}
}

// asLogged writes a line as vsftpd logs it: the verb in upper case, a
// question mark for what cannot be printed.
func asLogged(line string) string {
	verb, arg, split := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	if split && arg != "" {
		verb += " " + arg
	}
	text := []byte(verb)
	for i, b := range text {
		if b < ' ' || b > '~' {
			text[i] = '?'
		}
	}
	return string(text)
}

// recorder passes connections on and keeps what clients sent.
type recorder struct {
	mu   sync.Mutex
	text []byte
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.text = append(r.text, p...)
	return len(p), nil
}

func (r *recorder) sent() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return string(r.text)
}

// record starts a recorder on a host, between at and to.
func record(t *testing.T, host *lab.Host, at netip.AddrPort, to string) *recorder {
	t.Helper()
	l, err := host.Listen("tcp", at.String())
	try(t, err)
	t.Cleanup(func() { _ = l.Close() })
	r := new(recorder)
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return // the test has ended
			}
			server, err := host.Dial(t.Context(), "tcp", "", to)
			if err != nil {
				_ = client.Close()
				return
			}
			go splice(client, server)
			go splice(server, io.TeeReader(client, r))
		}
	}()
	return r
}

// splice copies a stream to its end and then ends the other.
func splice(to net.Conn, from io.Reader) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
}
