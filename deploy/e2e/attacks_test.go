package e2e

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// half opens are the connections that a flood begins and never ends.
const halfOpens = 20_000

// A flood of connections that are begun and never opened, from addresses that
// nobody has, disturbs no session and leaves room for new ones.
func TestAFloodOfHalfOpenConnectionsIsSurvived(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	c := s.connect(t)
	flooded := make(chan error, 1)
	go func() { flooded <- s.flood(netip.MustParseAddrPort("203.0.113.1:21")) }()
	for range 5 {
		fetch(t, c, s.server.files, ftp.PASV, "pub/small")
		other := s.connect(t)
		fetch(t, other, s.server.files, ftp.EPSV, "pub/small")
		try(t, other.Quit())
	}
	try(t, <-flooded)
	fetch(t, s.connect(t), s.server.files, ftp.PORT, "pub/small")
	if n := len(g.sessions(t)); n != 2 {
		t.Errorf("%d sessions, want 2", n)
	}
}

// flood sends SYN segments from the client's host, as from many others.
func (s *scene) flood(to netip.AddrPort) error {
	return s.Client.Do(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		at := &unix.SockaddrInet4{Addr: to.Addr().As4()}
		for n := range halfOpens {
			from := netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(100 + n%100)}), uint16(1024+n/100))
			if err := unix.Sendto(fd, syn(from, to), 0, at); err != nil && err != unix.ENOBUFS {
				return err
			}
		}
		return nil
	})
}

// syn returns an IP packet with a segment that begins a connection (RFC 791, RFC
// 9293).
func syn(from, to netip.AddrPort) []byte {
	p := make([]byte, 40)
	p[0], p[8], p[9] = 0x45, 64, unix.IPPROTO_TCP // the kernel fills in length and checksum (raw(7))
	copy(p[12:], from.Addr().AsSlice())
	copy(p[16:], to.Addr().AsSlice())
	tcp := p[20:]
	binary.BigEndian.PutUint16(tcp, from.Port())
	binary.BigEndian.PutUint16(tcp[2:], to.Port())
	tcp[12], tcp[13] = 5<<4, 0x02
	binary.BigEndian.PutUint16(tcp[14:], 64240)
	sum := uint32(unix.IPPROTO_TCP) + 20
	for _, part := range [][]byte{p[12:20], tcp} {
		for i := 0; i < len(part); i += 2 {
			sum += uint32(part[i])<<8 | uint32(part[i+1])
		}
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(tcp[16:], ^uint16(sum))
	return p
}

// Clients that send a byte now and then, and clients that read nothing, at every
// stage of a session: nobody else waits for them.
func TestSlowClientsHoldUpNobody(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient, limits: "{sessions_per_client: 200}"})
	stop := make(chan struct{})
	defer close(stop)
	for n, slow := range []string{"USER anonymous", "PASV", "PORT 203,0,113,10,200,10", "EPRT |1|203.0.113.10|51210|", strings.Repeat("X", 4000)} {
		for range 10 {
			c := s.connect(t).Control()
			go func() {
				for _, b := range []byte(slow) {
					if _, err := c.Write([]byte{b}); err != nil {
						return
					}
					select {
					case <-time.After(time.Duration(20+n) * time.Millisecond):
					case <-stop:
						return
					}
				}
			}()
		}
	}
	for range 10 { // who ask for much and read nothing, on either connection
		c := s.connect(t)
		data, err := c.Open(ftp.PASV, "RETR pub/big")
		try(t, err)
		t.Cleanup(func() { data.Close() })
		go func() {
			for range 2000 {
				if c.Send(strings.Repeat("HELP\r\n", 50)) != nil {
					return
				}
			}
		}()
	}
	for range 10 {
		c := s.connect(t)
		for _, m := range allModes() {
			fetch(t, c, s.server.files, m, "pub/file")
		}
		try(t, c.Quit())
	}
	if _, err := g.ask("status"); err != nil {
		t.Error(err)
	}
}

// A page in a browser has it send what looks like FTP to the gateway, inside of
// what the browser's protocol makes of it (NAT slipstreaming, form posts): the
// session ends, and nothing is opened.
func TestOtherProtocolsOpenNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	const want = "PORT 203,0,113,10,200,10\r\n"
	for name, first := range map[string]string{
		"form post": "POST / HTTP/1.1\r\nHost: 203.0.113.1:21\r\nContent-Type: multipart/form-data\r\n\r\n",
		"get":       "GET /" + " HTTP/1.1\r\n\r\n",
		"padded":    "POST /" + strings.Repeat("a", 1500) + " HTTP/1.1\r\nX: " + strings.Repeat("b", 3000) + "\r\n",
		"sip":       "REGISTER sip:198.18.1.20;transport=TCP SIP/2.0\r\n",
		"smtp":      "EHLO client.example.net\r\n",
		"tls":       "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
		"ssh":       "SSH-2.0-OpenSSH_9.2\r\n",
		"rtsp":      "OPTIONS rtsp://203.0.113.1/ RTSP/1.0\r\n",
		"http2":     "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		c := s.dial(t)
		try(t, c.SetDeadline(time.Now().Add(waitTimeout)))
		greeting := make([]byte, 512)
		if _, err := c.Read(greeting); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(c, first+strings.Repeat(want, 20))
		said, _ := io.ReadAll(c) // its end, or a reset
		if strings.Contains(string(said), "200 ") {
			t.Errorf("%s: a PORT was taken: %q", name, said)
		}
		if open := g.pinholes(t); len(open) > 0 {
			t.Errorf("%s: open: %+v", name, open)
		}
	}
	g.closedAgain(t)
}

// What a client or server writes is shown as text, wherever it is shown: no
// terminal, browser or log obeys it.
func TestNothingThatIsShownObeysAStranger(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	xferlog := filepath.Join(publicDir(t), "xferlog")
	answers := s.serveOnDemand(t, "198.18.1.20:2222")
	g := startGateway(t, s.Gateway, settings{
		listeners: "[{name: odd, listen: 203.0.113.1:2222, server: 198.18.1.20:2222}]",
		admin:     ", http: 127.0.0.1:9121", log: "{level: trace, format: json, transfers: " + xferlog + "}",
	})
	const odd = "\x1b]0;owned\x07\x1b[2J<script>alert(1)</script>\"\\\u202e\u009b31m%s{{.}}"
	c, err := s.Client.Dial(t.Context(), "tcp", "", "203.0.113.1:2222")
	try(t, err)
	defer c.Close()
	replies := bufio.NewReader(c)
	nextLine(t, replies, "220 ready")
	say := func(command, reply string) {
		t.Helper()
		fmt.Fprint(c, command+"\r\n")
		answers <- ""
		answers <- reply
		if got, err := replies.ReadString('\n'); err != nil {
			t.Fatalf("%q: %q, %v", command, got, err)
		}
	}
	say("USER "+odd, "331 "+odd)
	say("PASS "+odd, "230 "+odd)
	say("CWD "+odd, "550 "+odd)
	say("PASV", "227 "+odd+" (198,18,1,20,78,32)")
	say("RETR "+odd, "150 "+odd)
	shown := map[string]string{"log": g.log(t)}
	for _, command := range [][]string{{"sessions"}, {"session", "1"}, {"pinholes"}, {"top", "--batch", "-n", "1"}, {"status"}} {
		out, err := g.ask(command...)
		try(t, err)
		shown[strings.Join(command, " ")] = out
	}
	for _, path := range []string{"/status", "/sessions", "/session/1", "/metrics", "/"} {
		_, body, err := g.get(path)
		try(t, err)
		shown[path] = body
	}
	answers <- "226 " + odd
	nextLineContains(t, replies, "226 ")
	try(t, c.Close())
	within(t, waitTimeout, "the transfer is in the log", func() error {
		text, err := os.ReadFile(xferlog)
		if err == nil && len(text) == 0 {
			err = io.ErrNoProgress
		}
		shown["xferlog"] = string(text)
		return err
	})
	for where, text := range shown {
		if where != "log" && where != "/status" && where != "status" && where != "/metrics" && where != "/" && where != "pinholes" && !strings.Contains(text, "owned") {
			t.Errorf("%s shows nothing of it:\n%s", where, text)
		}
		for _, bad := range []string{"\x1b", "\x07", "\u009b", "\u202e"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s shows %q as it is", where, bad)
			}
		}
		if where == "/" || where == "/metrics" {
			if strings.Contains(text, "alert(1)") {
				t.Errorf("%s shows a script", where)
			}
		}
		if n := strings.Count(text, "\n"); where == "xferlog" && n != 1 {
			t.Errorf("%s has %d lines", where, n)
		}
	}
}

func nextLineContains(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	if got, err := r.ReadString('\n'); err != nil || !strings.Contains(got, want) {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

// An attacker who uses every limit of his address costs another client at most
// twice its latency in quiet times. The least of some rounds counts: the machine
// has other things to do, too.
func TestAnAttackerAtHisLimitsCostsOthersLittle(t *testing.T) {
	s := newScene(t, lab.Inbound)
	try(t, s.Client.AddAddress("eth0", "203.0.113.11/24"))
	startGateway(t, s.Gateway, settings{listeners: frontingClient, passive: "50000-50999"})
	dial := func(ctx context.Context, network, _, address string) (net.Conn, error) {
		return s.Client.Dial(ctx, network, "203.0.113.11:0", address)
	}
	c, err := ftp.Connect(t.Context(), netip.AddrPortFrom(s.Contact, 21).String(), ftp.Options{Dial: dial})
	try(t, err)
	defer c.Close()
	try(t, c.Login("anonymous", "e2e@example.net"))
	least := math.Inf(1)
	for range 4 {
		quiet := latency(t, c)
		end := s.attack(t)
		attacked := latency(t, c)
		end()
		ratio := float64(attacked) / float64(quiet)
		t.Logf("a transfer takes %s in quiet times and %s under attack: %.2f times as long", quiet, attacked, ratio)
		least = min(least, ratio)
	}
	if least > 2 {
		t.Errorf("a transfer takes %.2f times as long under attack", least)
	}
}

// latency returns how long a client waits for a small file: the median of some.
func latency(t *testing.T, c *ftp.Client) time.Duration {
	t.Helper()
	var all []time.Duration
	for range 60 {
		began := time.Now()
		_, err := c.Retrieve(ftp.PASV, "pub/small", io.Discard)
		try(t, err)
		all = append(all, time.Since(began))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// attack has the client's host hold all sessions and all promises that it may,
// and ask for more, until end.
func (s *scene) attack(t *testing.T) (end func()) {
	t.Helper()
	var held []*ftp.Client
	for {
		c, err := s.tryConnect(t, s.Client, s.Contact)
		if err != nil {
			break // 421
		}
		try(t, c.Login("anonymous", "e2e@example.net"))
		if _, err := c.Cmd("PASV"); err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
	}
	if len(held) != 100 {
		t.Fatalf("the attacker has %d sessions, want sessions_per_client", len(held))
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for n := 0; ; n++ {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			s.tryConnect(t, s.Client, s.Contact) // 421
			if c := held[n%len(held)]; c.Send("PASV\r\n") == nil {
				c.Read()
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
		for _, c := range held {
			c.Close()
		}
		within(t, waitTimeout, "the attacker has gone", func() error {
			c, err := s.tryConnect(t, s.Client, s.Contact)
			if err == nil {
				err = c.Quit()
			}
			return err
		})
	}
}
