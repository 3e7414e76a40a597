package inspect_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ftpalg/alg/capture/capturetest"
)

// Addresses of the corpus: a client and a server with public addresses, and
// the ones that they have behind a NAT of theirs.
const (
	client     = "198.51.100.7:40001"
	clientHost = "198.51.100.7"
	server     = "203.0.113.1:21"
	serverHost = "203.0.113.1"
)

// scene is one capture of the corpus.
type scene struct {
	// name is that of its golden files.
	name string
	// play records it, and returns the announcements that it holds: frame,
	// kind, address and port.
	play func(*capturetest.Tape) []string
	link capturetest.Link
	snap int
	// damage spoils the file; nil leaves it as it is.
	damage func([]byte) []byte
	config string
}

func (s scene) file() (file []byte, want []string) {
	tape := capturetest.NewTape()
	want = s.play(tape)
	link := s.link
	if link.Frame == nil {
		link = capturetest.Ethernet
	}
	file = capturetest.Pcap(tape.Packets, link, s.snap)
	if s.damage != nil {
		file = s.damage(file)
	}
	return file, want
}

func line(frame int, kind, at string) string { return fmt.Sprintf("%d %s %s", frame, kind, at) }

// begin passes the first lines of a session.
func begin(c *capturetest.Conn) *capturetest.Conn {
	c.Open()
	c.ServerSays("220 ready\r\n")
	c.ClientSays("USER anna\r\n")
	c.ServerSays("331 password\r\n")
	c.ClientSays("PASS open sesame\r\n")
	c.ServerSays("230 welcome\r\n")
	return c
}

// passive passes PASV with its answer, whose frame it returns.
func passive(c *capturetest.Conn, hostPort string) int {
	c.ClientSays("PASV\r\n")
	return c.ServerSays("227 Entering Passive Mode (" + hostPort + ").\r\n")
}

// active passes a PORT or EPRT that is accepted, and returns its frame.
func active(c *capturetest.Conn, command string) int {
	frame := c.ClientSays(command + "\r\n")
	c.ServerSays("200 ok\r\n")
	return frame
}

// retrieve passes a command, and over d a file of 1000 bytes. In active mode
// the server opens d.
func retrieve(c, d *capturetest.Conn, activeMode bool) {
	c.ClientSays("RETR report.pdf\r\n")
	d.Open()
	c.ServerSays("150 here it comes\r\n")
	file := strings.Repeat("x", 1000)
	if activeMode {
		d.ClientSays(file)
	} else {
		d.ServerSays(file)
	}
	d.Close()
	c.ServerSays("226 done\r\n")
}

func quit(c *capturetest.Conn) {
	c.ClientSays("QUIT\r\n")
	c.ServerSays("221 bye\r\n")
	c.Close()
}

// scenes is the corpus.
var scenes = []scene{
	{name: "pasv", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		f := passive(c, "203,0,113,1,195,80")
		retrieve(c, t.Conn(clientHost+":40002", serverHost+":50000"), false)
		quit(c)
		return []string{line(f, "PASV", "203.0.113.1:50000")}
	}},
	{name: "epsv", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		c.ClientSays("EPSV\r\n")
		f := c.ServerSays("229 Entering Extended Passive Mode (|||50001|)\r\n")
		retrieve(c, t.Conn(clientHost+":40002", serverHost+":50001"), false)
		quit(c)
		return []string{line(f, "EPSV", "203.0.113.1:50001")}
	}},
	{name: "port", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		f := active(c, "PORT 198,51,100,7,19,137")
		retrieve(c, t.Conn(serverHost+":20", clientHost+":5001"), true)
		quit(c)
		return []string{line(f, "PORT", "198.51.100.7:5001")}
	}},
	{name: "eprt_ipv6_epsv_all", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn("[2001:db8:1::7]:40001", "[2001:db8:2::1]:21"))
		first := active(c, "EPRT |2|2001:db8:1::7|5001|")
		retrieve(c, t.Conn("[2001:db8:2::1]:20", "[2001:db8:1::7]:5001"), true)
		c.ClientSays("EPSV ALL\r\n")
		c.ServerSays("200 only EPSV from now on\r\n")
		c.ClientSays("EPSV\r\n")
		second := c.ServerSays("229 (|||50001|)\r\n")
		retrieve(c, t.Conn("[2001:db8:1::7]:40003", "[2001:db8:2::1]:50001"), false)
		third := active(c, "EPRT |2|2001:db8:1::7|5002|")
		quit(c)
		return []string{
			line(first, "EPRT", "[2001:db8:1::7]:5001"), line(second, "EPSV", "[2001:db8:2::1]:50001"),
			line(third, "EPRT", "[2001:db8:1::7]:5002"),
		}
	}},
	{name: "nat_rewrote_nothing", config: "legacy.yaml", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		f := passive(c, "10,0,0,5,195,80")
		c.ClientSays("LIST\r\n")
		d := t.Conn(clientHost+":40002", "10.0.0.5:50000")
		for _, wait := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			d.SYN()
			t.Pause(wait)
		}
		c.ServerSays("425 no connection\r\n")
		quit(c)
		return []string{line(f, "PASV", "10.0.0.5:50000")}
	}},
	{name: "client_knew_better", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		f := passive(c, "10,0,0,5,195,80")
		retrieve(c, t.Conn(clientHost+":40002", serverHost+":50000"), false)
		quit(c)
		return []string{line(f, "PASV", "10.0.0.5:50000")}
	}},
	{name: "both_sides_of_a_nat", play: func(t *capturetest.Tape) []string {
		outside, inside := t.Conn(client, server), t.Conn(client, "10.0.0.5:21")
		both := []*capturetest.Conn{outside, inside}
		for _, c := range both {
			begin(c)
		}
		var want []string
		for _, c := range both {
			want = append(want, line(passive(c, "10,0,0,5,195,80"), "PASV", "10.0.0.5:50000"))
		}
		for _, c := range both {
			c.ClientSays("LIST\r\n")
			c.ServerSays("425 no connection\r\n")
			quit(c)
		}
		return want
	}},
	{name: "port_behind_nat", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		f := c.ClientSays("PORT 192,168,1,5,19,137\r\n")
		c.ServerSays("500 illegal PORT command\r\n")
		quit(c)
		return []string{line(f, "PORT", "192.168.1.5:5001")}
	}},
	{name: "data_refused", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		f := passive(c, "203,0,113,1,195,80")
		c.ClientSays("STOR report.pdf\r\n")
		d := t.Conn(clientHost+":40002", serverHost+":50000")
		d.SYN()
		d.Refuse()
		c.ServerSays("425 no connection\r\n")
		g := passive(c, "203,0,113,1,195,81")
		c.ClientSays("STOR report.pdf\r\n")
		d = t.Conn(clientHost+":40003", serverHost+":50001")
		d.SYN()
		d.Unreachable("192.0.2.254")
		c.ServerSays("425 no connection\r\n")
		quit(c)
		return []string{line(f, "PASV", "203.0.113.1:50000"), line(g, "PASV", "203.0.113.1:50001")}
	}},
	{name: "data_never_came", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		f := passive(c, "203,0,113,1,195,80")
		c.ClientSays("LIST\r\n")
		t.Pause(time.Minute)
		c.ServerSays("425 no connection\r\n")
		quit(c)
		return []string{line(f, "PASV", "203.0.113.1:50000")}
	}},
	{name: "data_cut", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		f := passive(c, "203,0,113,1,195,80")
		c.ClientSays("RETR report.pdf\r\n")
		d := t.Conn(clientHost+":40002", serverHost+":50000").Open()
		c.ServerSays("150 here it comes\r\n")
		d.ServerSays(strings.Repeat("x", 700))
		d.Reset(true)
		c.ServerSays("426 broken\r\n")
		quit(c)
		return []string{line(f, "PASV", "203.0.113.1:50000")}
	}},
	{name: "auth_tls", play: func(t *capturetest.Tape) []string {
		c := t.Conn(client, server).Open()
		c.ServerSays("220 ready\r\n")
		f := passive(c, "203,0,113,1,195,80")
		c.ClientSays("AUTH TLS\r\n")
		c.ServerSays("234 go ahead\r\n")
		c.ClientSays("\x16\x03\x01\x00\x04abc\n")
		c.ServerSays("227 Entering Passive Mode (9,9,9,9,9,9).\r\n") // might be anything
		c.Close()
		return []string{line(f, "PASV", "203.0.113.1:50000")}
	}},
	{name: "split_and_reordered", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		c.ClientSays("PA")
		c.ClientSays("SV\r")
		c.ClientSays("\n")
		head, middle, tail := c.Make(true, "227 Entering Passive"), c.Make(true, " Mode (203,0,113,1,"), c.Make(true, "195,80).\r\n")
		c.Record(tail)
		c.Record(head)
		f := c.Record(middle) // fills the gap
		c.Record(head)        // a retransmission, of no meaning
		c.Record(tail)
		retrieve(c, t.Conn(clientHost+":40002", serverHost+":50000"), false)
		g := c.ClientSays("PORT 198,51,100,7,19,137\r\nNOOP\r\n")
		c.ServerSays("200 ok\r\n200 zzz\r\n")
		quit(c)
		return []string{line(f, "PASV", "203.0.113.1:50000"), line(g, "PORT", "198.51.100.7:5001")}
	}},
	{name: "loss_with_retransmission", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		c.ClientSays("PASV\r\n")
		c.Make(true, "227 Entering Passive Mode (203,0,113,1,") // lost before it was recorded
		c.ServerSays("195,80).\r\n")
		t.Pause(200 * time.Millisecond)
		again := c.Make(true, "")
		again.Payload = []byte("227 Entering Passive Mode (203,0,113,1,195,80).\r\n")
		again.Seq -= uint32(len(again.Payload))
		f := c.Record(again)
		retrieve(c, t.Conn(clientHost+":40002", serverHost+":50000"), false)
		quit(c)
		return []string{line(f, "PASV", "203.0.113.1:50000")}
	}},
	{name: "lines_missing", play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		passive := c.Make(false, "PASV\r\n")
		c.Record(passive)
		c.Make(true, "227 Entering Passive Mode (203,0,113,1,195,80).\r\n") // never recorded
		retrieve(c, t.Conn(clientHost+":40002", serverHost+":50000"), false)
		f := active(c, "PORT 198,51,100,7,19,137")
		quit(c)
		return []string{line(f, "PORT", "198.51.100.7:5001")}
	}},
	{name: "begins_in_the_middle", play: func(t *capturetest.Tape) []string {
		c := t.Conn(client, "203.0.113.1:2121")
		f := c.ServerSays("227 Entering Passive Mode (203,0,113,1,195,80).\r\n")
		retrieve(c, t.Conn(clientHost+":40002", serverHost+":50000"), false)
		g := passive(c, "203,0,113,1,195,81")
		quit(c)
		return []string{line(f, "PASV", "203.0.113.1:50000"), line(g, "PASV", "203.0.113.1:50001")}
	}},
	{name: "one_side_only", play: func(t *capturetest.Tape) []string {
		c := t.Conn(client, server)
		c.Make(false, "USER anna\r\n")
		c.ServerSays("331 password\r\n")
		c.Make(false, "PASS open sesame\r\n")
		c.ServerSays("230 welcome\r\n")
		c.Make(false, "EPSV\r\n")
		f := c.ServerSays("229 Entering Extended Passive Mode (|||50001|)\r\n")
		c.Make(false, "LIST\r\n")
		c.ServerSays("150 here it comes\r\n")
		return []string{line(f, "EPSV", "203.0.113.1:50001")}
	}},
	{name: "odd_announcements", play: oddAnnouncements},
	{name: "smtp_beside_it", play: besideIt},
	{name: "tunnels_of_pppoe", link: linkNamed("PPPoE"), play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		f := passive(c, "203,0,113,1,195,80")
		retrieve(c, t.Conn(clientHost+":40002", serverHost+":50000"), false)
		quit(c)
		return []string{line(f, "PASV", "203.0.113.1:50000")}
	}},
	{name: "snap_length", snap: 14 + 20 + 20 + 20, play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		passive(c, "203,0,113,1,195,80") // cut off behind its twentieth byte
		f := active(c, "EPRT |1|1.2.3.4|9|")
		quit(c)
		return []string{line(f, "EPRT", "1.2.3.4:9")}
	}},
	{name: "cut_short", damage: func(f []byte) []byte { return f[:len(f)-30] }, play: func(t *capturetest.Tape) []string {
		c := begin(t.Conn(client, server))
		f := passive(c, "203,0,113,1,195,80")
		c.ClientSays("NOOP\r\n")
		return []string{line(f, "PASV", "203.0.113.1:50000")}
	}},
	{name: "no_ftp", play: func(t *capturetest.Tape) []string {
		t.Conn(clientHost+":40002", serverHost+":50000").Open().ServerSays("a file\nwith lines\n")
		t.Conn(clientHost+":40003", serverHost+":990").Open().ClientSays("\x16\x03\x01\x02\x00\x01\x00")
		t.Conn(clientHost+":40004", serverHost+":443").Open().ClientSays("\x16\x03\x01\x02\x00\x01\x00")
		return nil
	}},
}

func linkNamed(name string) capturetest.Link {
	i := slices.IndexFunc(capturetest.Links, func(l capturetest.Link) bool { return l.Name == name })
	return capturetest.Links[i]
}

// oddAnnouncements are those that a gateway refuses or that nobody uses.
func oddAnnouncements(t *capturetest.Tape) (want []string) {
	c := begin(t.Conn(client, server))
	add := func(frame int, kind, at string) { want = append(want, line(frame, kind, at)) }
	add(active(c, "PORT 192,0,2,99,19,137"), "PORT", "192.0.2.99:5001")       // third party
	add(active(c, "PORT 198,51,100,7,0,25"), "PORT", "198.51.100.7:25")       // low port
	add(active(c, "port  198,51,100,7,19,138 "), "PORT", "198.51.100.7:5002") // lenient form
	add(active(c, "PORT 198,51,100,7,19,138"), "PORT", "198.51.100.7:5002")   // repeated
	c.ClientSays("PORT 198,51,100,7,19\r\n")                                  // announces nothing
	c.ServerSays("501 cannot be read\r\n")
	c.ClientSays("HELP\r\n")
	c.ServerSays("214-Text follows\r\n227 Entering Passive Mode (1,2,3,4,5,6)\r\n214 end\r\n")
	c.ClientSays("NOOP\r\n")
	add(c.ServerSays("227 Entering Passive Mode (203,0,113,1,195,80)\r\n"), "PASV", "203.0.113.1:50000") // unasked
	c.ClientSays("PASV\r\n")
	c.ServerSays("227-Two lines\r\n")
	add(c.ServerSays("227 =0,0,0,0,195,81\r\n"), "PASV", "0.0.0.0:50001") // multi-line, and no host's address
	c.ClientSays("PASV\r\n")
	c.ServerSays("227 Entering Passive Mode\r\n") // announces nothing
	c.ClientSays("PASV\r\n")
	c.ServerSays("502 no\r\n")
	quit(c)
	return want
}

// besideIt plays other protocols that could be taken for FTP beside a session.
func besideIt(t *capturetest.Tape) []string {
	mail := t.Conn(clientHost+":40101", serverHost+":25").Open()
	mail.ServerSays("220 ftp.example.org ESMTP\r\n")
	mail.ClientSays("EHLO client\r\n")
	mail.ServerSays("250-ftp.example.org\r\n250 HELP\r\n")
	mail.ClientSays("MAIL FROM:<a@example.org>\r\n")
	mail.ServerSays("250 ok\r\n")
	mail.ClientSays("DATA\r\n")
	mail.ServerSays("354 go on\r\n")
	mail.ClientSays("USER anna\r\nPASV\r\n227 Entering Passive Mode (1,2,3,4,5,6)\r\nPORT 1,2,3,4,5,6\r\n.\r\n")
	mail.ServerSays("250 queued\r\n")
	shy := t.Conn(clientHost+":40102", serverHost+":25").Open()
	shy.ServerSays("220 mail.example.org\r\n")
	shy.ClientSays("NOOP\r\n")
	shy.ServerSays("250 ok\r\n")
	shy.ClientSays("QUIT\r\n")
	shy.ServerSays("221 bye\r\n")
	post := t.Conn(clientHost+":40103", serverHost+":110").Open()
	post.ServerSays("+OK ready\r\n")
	post.ClientSays("USER anna\r\n")
	post.ServerSays("+OK\r\n")
	post.ClientSays("PASS x\r\n")
	post.ServerSays("+OK\r\n")
	post.ClientSays("RETR 1\r\n")
	post.ServerSays("+OK\r\n227 Entering Passive Mode (1,2,3,4,5,6)\r\n.\r\n")
	web := t.Conn(clientHost+":40104", serverHost+":80").Open()
	web.ClientSays("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	web.ServerSays("HTTP/1.1 200 OK\r\n\r\n227 Entering Passive Mode (1,2,3,4,5,6)\r\n")
	chat := t.Conn(clientHost+":40105", serverHost+":6667").Open()
	chat.ClientSays("NICK anna\r\nUSER anna 0 * :Anna\r\n")
	chat.ServerSays(":irc 001 anna :Welcome\r\n")
	news := t.Conn(clientHost+":40106", serverHost+":119").Open()
	news.ServerSays("200 posting allowed\r\n")
	news.ClientSays("MODE READER\r\n")
	news.ServerSays("200 ok\r\n")
	news.ClientSays("LIST\r\n")
	news.ServerSays("215 list\r\n.\r\n")
	c := begin(t.Conn(client, "203.0.113.1:2121"))
	f := passive(c, "203,0,113,1,195,80")
	log := t.Conn(clientHost+":40002", serverHost+":50000").Open() // a file that quotes a session
	log.ServerSays("220 ready\r\nUSER anna\r\n331 password\r\n227 Entering Passive Mode (1,2,3,4,5,6)\r\n")
	log.Close()
	quit(c)
	return []string{line(f, "PASV", "203.0.113.1:50000")}
}
