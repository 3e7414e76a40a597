package e2e

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// waitTimeout bounds a wait for a peer in a test's own dialogue.
const waitTimeout = 30 * time.Second

func TestOneByteASegmentIsUnderstood(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	c := s.connect(t)
	for _, m := range []ftp.Mode{ftp.PORT, ftp.EPRT} {
		l := listen(t, s)
		sendBytewise(t, c, announce(m, l), "RETR pub/file")
		wants(t, c, 200, 150)
		same(t, s.server.files, "pub/file", receive(t, l))
		wants(t, c, 226)
	}
	for m, code := range map[string]int{"PASV": 227, "EPSV": 229} {
		sendBytewise(t, c, m)
		at := told(t, wants(t, c, code)[0], s.Contact)
		sendBytewise(t, c, "RETR pub/file")
		same(t, s.server.files, "pub/file", download(t, s, at))
		wants(t, c, 150, 226)
	}
	try(t, c.Quit())
	g.closedAgain(t)
}

func TestTwentyCommandsInOneSegmentAreAnsweredInOrder(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	c := s.connect(t)
	first, second, third := listen(t, s), listen(t, s), listen(t, s)
	steps := []struct {
		line  string
		codes []int
	}{
		{"NOOP", []int{200}},
		{"SYST", []int{215}},
		{announce(ftp.PORT, first), []int{200}},
		{"RETR pub/file", []int{150, 226}},
		{"PORT 203,0,114,10,200,10", []int{501}},
		{"PWD", []int{257}},
		{announce(ftp.PORT, second), []int{200}},
		{"RETR pub/small", []int{150, 226}},
		{"LPSV", []int{502}},
		{"PORT 203,0,113,10,0,22", []int{504}},
		{"CWD pub", []int{250}},
		{"SIZE small", []int{213}},
		{"EPRT |9|203.0.113.10|51234|", []int{522}},
		{"FEAT", []int{211}},
		{announce(ftp.EPRT, third), []int{200}},
		{"NLST", []int{150, 226}},
		{"PORT 203,0,113,10,20", []int{501}},
		{"CWD /nowhere", []int{550}},
		{"PASV", []int{227}},
		{"RETR file", []int{150, 226}},
	}
	var lines []string
	var codes []int
	for _, step := range steps {
		lines, codes = append(lines, step.line), append(codes, step.codes...)
	}
	try(t, c.Send(strings.Join(lines, "\r\n")+"\r\n"))

	// The server sends one file after the other, and its replies between them.
	before227 := slices.Index(codes, 227)
	replies := make(chan error, 1)
	go func() { replies <- read(c, codes[:before227]...) }()
	same(t, s.server.files, "pub/file", receive(t, first))
	same(t, s.server.files, "pub/small", receive(t, second))
	list := string(receive(t, third))
	try(t, <-replies)
	if list != "file\r\nsmall\r\n" {
		t.Errorf("the third connection brought %q, want the names in pub", list)
	}
	at := told(t, wants(t, c, 227)[0], s.Contact)
	same(t, s.server.files, "pub/file", download(t, s, at))
	wants(t, c, codes[before227+1:]...)
	try(t, c.Quit())
	g.closedAgain(t)
}

// listen opens a socket on the client host for an active data connection.
func listen(t *testing.T, s *scene) net.Listener {
	t.Helper()
	l, err := s.Client.Listen("tcp", net.JoinHostPort(clientAddr(t, s).String(), "0"))
	try(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// clientAddr is the address that the client host uses towards its server.
func clientAddr(t *testing.T, s *scene) netip.Addr {
	t.Helper()
	out, err := s.Client.Command(t.Context(), "ip", "-o", "route", "get", s.Contact.String()).Output()
	try(t, err)
	_, src, _ := strings.Cut(string(out), " src ")
	text, _, _ := strings.Cut(src, " ")
	addr, err := netip.ParseAddr(text)
	try(t, err)
	return addr
}

// announce returns the command that announces a listener.
func announce(m ftp.Mode, l net.Listener) string {
	at := netip.MustParseAddrPort(l.Addr().String())
	if m == ftp.EPRT {
		return fmt.Sprintf("EPRT |%d|%s|%d|", map[bool]int{true: 1, false: 2}[at.Addr().Is4()], at.Addr(), at.Port())
	}
	return fmt.Sprintf("PORT %s,%d,%d", strings.ReplaceAll(at.Addr().String(), ".", ","), at.Port()>>8, at.Port()&0xff)
}

// told reads the address out of a 227, or the port out of a 229.
func told(t *testing.T, r ftp.Reply, server netip.Addr) netip.AddrPort {
	t.Helper()
	var h [4]byte
	var high, low, port uint16
	if r.Code == 229 {
		_, err := fmt.Sscanf(r.String(), "229 Entering Extended Passive Mode (|||%d|)", &port)
		try(t, err)
		return netip.AddrPortFrom(server, port)
	}
	_, err := fmt.Sscanf(r.String(), "227 Entering Passive Mode (%d,%d,%d,%d,%d,%d).", &h[0], &h[1], &h[2], &h[3], &high, &low)
	try(t, err)
	return netip.AddrPortFrom(netip.AddrFrom4(h), high<<8|low)
}

// sendBytewise sends lines so that every byte goes in a segment of its own: the
// kernel appends to no segment that it has sent (SIOCOUTQNSD, tcp(7)).
func sendBytewise(t *testing.T, c *ftp.Client, lines ...string) {
	t.Helper()
	raw, err := c.Control().(*net.TCPConn).SyscallConn()
	try(t, err)
	for _, b := range []byte(strings.Join(lines, "\r\n") + "\r\n") {
		_, err := c.Control().Write([]byte{b})
		try(t, err)
		within(t, waitTimeout, "a byte is sent", func() (err error) {
			unsent := 0
			if e := raw.Control(func(fd uintptr) { unsent, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQNSD) }); e != nil {
				return e
			}
			if err == nil && unsent > 0 {
				err = fmt.Errorf("%d unsent", unsent)
			}
			return err
		})
	}
}

// read reads as many replies as codes are given.
func read(c *ftp.Client, codes ...int) error {
	for i, code := range codes {
		reply, err := c.Read()
		if err != nil || reply.Code != code {
			return fmt.Errorf("reply %d of %v: %q, %v; want %d", i+1, codes, reply.Lines, err, code)
		}
	}
	return nil
}

// wants reads as many replies as codes are given, and returns them.
func wants(t *testing.T, c *ftp.Client, codes ...int) []ftp.Reply {
	t.Helper()
	replies := make([]ftp.Reply, len(codes))
	for i, code := range codes {
		reply, err := c.Read()
		if err != nil || reply.Code != code {
			t.Fatalf("reply %d of %v: %q, %v; want %d", i+1, codes, reply.Lines, err, code)
		}
		replies[i] = reply
	}
	return replies
}

// receive reads an active data connection to its end.
func receive(t *testing.T, l net.Listener) []byte {
	t.Helper()
	try(t, l.(*net.TCPListener).SetDeadline(time.Now().Add(waitTimeout)))
	c, err := l.Accept()
	try(t, err)
	return drain(t, c)
}

// download connects to a passive data port and reads to the end.
func download(t *testing.T, s *scene, at netip.AddrPort) []byte {
	t.Helper()
	c, err := s.Client.Dial(t.Context(), "tcp", "", at.String())
	try(t, err)
	return drain(t, c)
}

func drain(t *testing.T, c net.Conn) []byte {
	t.Helper()
	defer c.Close()
	try(t, c.SetDeadline(time.Now().Add(waitTimeout)))
	got, err := io.ReadAll(c)
	try(t, err)
	return got
}
