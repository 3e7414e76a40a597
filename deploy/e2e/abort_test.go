package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// bigSize is more than fits into all the sockets' buffers on the way: a transfer of
// it that nobody reads goes on.
const bigSize = 64 << 20

// Telnet's way to interrupt (RFC 854, "The TELNET Synch Mechanism").
const (
	telnetIAC = 0xFF
	telnetIP  = 0xF4
	telnetDM  = 0xF2
)

func TestUrgentAborIsAnsweredInTheMiddleOfATransfer(t *testing.T) {
	for _, m := range allModes() {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			s, g := sceneWithBigFile(t)
			c := s.connect(t)
			data, err := c.Open(m, "RETR pub/big")
			try(t, err)
			sendUrgent(t, c)
			drop(data)
			wants(t, c, 426, 226)
			fetch(t, c, s.server.files, m, "pub/file")
			try(t, c.Quit())
			g.closedAgain(t)
		})
	}
}

// vsftpd reads its control connection during a transfer only after urgent data.
func TestPlainAborIsAnsweredBehindTheTransfer(t *testing.T) {
	t.Parallel()
	s, g := sceneWithBigFile(t)
	c := s.connect(t)
	for _, m := range allModes() {
		data, err := c.Open(m, "RETR pub/big")
		try(t, err)
		try(t, c.Send("ABOR\r\n"))
		drop(data)
		wants(t, c, 226, 225)
		fetch(t, c, s.server.files, m, "pub/file")
	}
	try(t, c.Quit())
	g.closedAgain(t)
}

func sceneWithBigFile(t *testing.T) (*scene, *gateway) {
	t.Helper()
	s := newScene(t, lab.Inbound, "async_abor_enable=YES", "log_ftp_protocol=YES")
	s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
	return s, startGateway(t, s.Gateway, settings{listeners: frontingClient, pinhole: "10m"})
}

// sendUrgent sends ABOR as RFC 959 section 4.1.3 has it: IAC IP, then IAC DM
// with DM as urgent data, then the command.
func sendUrgent(t *testing.T, c *ftp.Client) {
	t.Helper()
	raw, err := c.Control().(*net.TCPConn).SyscallConn()
	try(t, err)
	try(t, raw.Control(func(fd uintptr) {
		err = unix.Sendto(int(fd), []byte{telnetIAC, telnetIP, telnetIAC, telnetDM}, unix.MSG_OOB, nil)
	}))
	try(t, err)
	try(t, c.Send("ABOR\r\n"))
}

// drop reads a connection to its end and closes it.
func drop(c net.Conn) {
	go func() {
		_, _ = io.Copy(io.Discard, c) // however it ends
		_ = c.Close()
	}()
}

func TestLftpInterruptsATransferAndGoesOn(t *testing.T) {
	t.Parallel()
	need(t, "lftp")
	for _, passive := range []bool{true, false} {
		s, g := sceneWithBigFile(t)
		got := filepath.Join(s.dir, "got")
		_, err := s.lftp(t, passive, "set ftp:use-abor yes; set ftp:use-telnet-iac yes; set net:connection-limit 1; set net:limit-rate 1000000; "+
			"get pub/big -o "+got+".big & sleep 2; kill all; get pub/file -o "+got)
		if err != nil {
			t.Errorf("passive %v: %v", passive, err)
		} else if err := differs(got, s.server.files.name("pub/file")); err != nil {
			t.Errorf("passive %v: after the interruption: %v", passive, err)
		}
		if aborts := s.server.logged(t, `FTP command: Client "[^"]*", "([^"]*ABOR)"`); len(aborts) != 1 {
			t.Errorf("passive %v: the server took these as ABOR: %q", passive, aborts)
		}
		g.closedAgain(t)
	}
}

func TestReinLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	c := s.connect(t)
	says(t, c, "PASV", 227)
	reply, err := c.Cmd("REIN")
	try(t, err)
	// vsftpd does not know it; the session goes on as the server has it.
	if reply.Code != 502 {
		t.Fatalf("REIN: %v", reply)
	}
	fetch(t, c, s.server.files, ftp.PASV, "pub/file")
	g.closedAgain(t)
}

// breaks are the ways in which a session can end while a promise stands and
// while a transfer runs.
var breaks = []struct {
	name string
	end  func(*testing.T, *scene, *ftp.Client)
}{
	{"QUIT", func(t *testing.T, _ *scene, c *ftp.Client) {
		try(t, c.Send("QUIT\r\n"))
		drop(c.Control())
	}},
	{"the client closes", func(t *testing.T, _ *scene, c *ftp.Client) { try(t, c.Close()) }},
	{"the client resets", func(t *testing.T, _ *scene, c *ftp.Client) {
		try(t, c.Control().(*net.TCPConn).SetLinger(0))
		try(t, c.Close())
	}},
	{"the client closes its half", func(t *testing.T, _ *scene, c *ftp.Client) {
		try(t, c.Control().(*net.TCPConn).CloseWrite())
	}},
	{"the server dies", func(t *testing.T, s *scene, _ *ftp.Client) { s.server.killChildren(t) }},
}

func TestBrokenSessionLeavesNoPromise(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient, pinhole: "10m"})
	for _, b := range breaks {
		for _, m := range []string{"PASV", "EPSV", "PORT 203,0,113,10,200,10", "EPRT |1|203.0.113.10|51210|"} {
			t.Run(b.name+", "+m[:4], func(t *testing.T) {
				c := s.connect(t)
				_, err := c.Cmd(m)
				try(t, err)
				if open := g.pinholes(t); len(open) != 1 || open[0].Mode != m[:4] {
					t.Fatalf("after %s these are promised: %+v", m, open)
				}
				b.end(t, s, c)
				g.closedAgain(t)
				try(t, ignoreClosed(c.Close()))
				g.forgets(t)
			})
		}
	}
}

func TestSessionThatBreaksInATransferLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	s, g := sceneWithBigFile(t)
	for _, b := range breaks {
		for _, m := range []ftp.Mode{ftp.PASV, ftp.PORT} {
			t.Run(fmt.Sprintf("%s, %s", b.name, m), func(t *testing.T) {
				c := s.connect(t)
				data, err := c.Open(m, "RETR pub/big")
				try(t, err)
				b.end(t, s, c)
				try(t, data.Close())
				g.closedAgain(t)
				try(t, ignoreClosed(c.Close()))
				g.forgets(t)
			})
		}
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// forgets holds that soon there is no session.
func (g *gateway) forgets(t *testing.T) {
	t.Helper()
	within(t, waitTimeout, "the sessions end", func() error {
		if open := g.sessions(t); len(open) > 0 {
			return fmt.Errorf("%+v", open)
		}
		return nil
	})
}
