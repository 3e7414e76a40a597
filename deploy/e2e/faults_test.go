package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// Descriptors are used up: who is in goes on, who comes waits or is refused, and
// service returns by itself.
func TestUsedUpDescriptorsAreSurvived(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := newGateway(t, s.Gateway, settings{listeners: frontingClient, limits: "{sessions_per_client: 1000}"},
		"sh", "-c", `ulimit -n 128; exec "$@"`, "sh")
	g.start(t)
	first := s.connect(t)
	var crowd []net.Conn
	for range 120 {
		c, err := s.Client.Dial(t.Context(), "tcp", "", netip.AddrPortFrom(s.Contact, 21).String())
		try(t, err) // the kernel accepts
		crowd = append(crowd, c)
	}
	within(t, waitTimeout, "no more sessions are taken", func() error {
		log := g.log(t)
		if !strings.Contains(log, "too many open files") && !strings.Contains(log, "421 Too many sessions") {
			return errors.New("nobody has noticed")
		}
		return nil
	})
	for range 5 {
		says(t, first, "NOOP", 200)
		says(t, first, "PWD", 257)
		fetch(t, first, s.server.files, ftp.PASV, "pub/small")
	}
	if n := len(g.sessions(t)); n < 10 { // and the gateway can be asked
		t.Errorf("%d sessions are open", n)
	}
	for _, c := range crowd {
		c.Close()
	}
	within(t, waitTimeout, "the crowd has gone", func() error {
		if all := g.sessions(t); len(all) > 1 {
			return fmt.Errorf("%d sessions", len(all))
		}
		return nil
	})
	fetch(t, first, s.server.files, ftp.PASV, "pub/file")
	fetch(t, s.connect(t), s.server.files, ftp.PORT, "pub/file")
	g.stop(t)
}

// The table of connection tracking is full: what runs goes on, a data connection
// that cannot be opened is not announced, and service returns by itself.
func TestAFullConntrackTableIsSurvived(t *testing.T) {
	need(t, "conntrack")
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	c := s.connect(t)
	s.fillConntrack(t)
	says(t, c, "NOOP", 200)
	reply, err := c.Cmd("PASV")
	try(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := s.Client.Dial(ctx, "tcp", "", netip.AddrPortFrom(s.Contact, 21).String()); err == nil {
		t.Error("a new connection is tracked: the table is not full")
	}
	if dataPath() == "conntrack" && reply.Code != 425 {
		t.Errorf("PASV with a full table: %s", reply)
	}
	_, err = s.Gateway.Command(t.Context(), "conntrack", "-D", "-p", "udp", "-s", "192.0.2.0/24").CombinedOutput()
	try(t, err)
	within(t, waitTimeout, "service has returned", func() error {
		other, err := s.tryConnect(t, s.Client, s.Contact)
		if err == nil {
			err = other.Quit()
		}
		return err
	})
	for _, m := range allModes() {
		fetch(t, c, s.server.files, m, "pub/file")
	}
	try(t, c.Quit())
	g.closedAgain(t)
}

// fillConntrack fills the table of the gateway's host with connections of its own.
func (s *scene) fillConntrack(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile("/proc/sys/net/netfilter/nf_conntrack_max")
	try(t, err)
	var most int
	_, err = fmt.Sscan(string(text), &most)
	try(t, err)
	if most > 1<<19 {
		t.Skipf("the table has room for %d", most)
	}
	var lines strings.Builder
	for n := range most + 1000 {
		fmt.Fprintf(&lines, "-A -s 192.0.2.%d -d 198.51.100.%d -p udp --sport %d --dport %d -t 600 -u SEEN_REPLY,ASSURED\n",
			n>>16&3+1, n>>14&3+1, 1024+n&0x3fff, 9)
	}
	file := filepath.Join(publicDir(t), "entries")
	try(t, os.WriteFile(file, []byte(lines.String()), 0o600))
	s.Gateway.Command(t.Context(), "conntrack", "-R", file).CombinedOutput() // ends at the first that does not fit
}

// iptables fails in the middle of everything: what could not be opened is not
// announced, and nothing of it stays.
func TestAFailingIptablesOpensNothing(t *testing.T) {
	t.Parallel()
	if dataPath() != "iptables" {
		t.Skip("the other paths open pinholes without it")
	}
	s := newScene(t, lab.Inbound)
	dir := publicDir(t)
	broken := filepath.Join(dir, "broken")
	for _, program := range []string{"iptables", "iptables-restore"} {
		script := fmt.Sprintf("#!/bin/sh\n[ -e %s ] && { echo the disk is on fire >&2; exit 4; }\nexec /usr/sbin/%s \"$@\"\n", broken, program)
		try(t, os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755))
	}
	g := newGateway(t, s.Gateway, settings{listeners: frontingClient}, "env", "PATH="+dir+":/usr/sbin:/usr/bin:/sbin:/bin")
	g.start(t)
	c := s.connect(t)
	fetch(t, c, s.server.files, ftp.PASV, "pub/file")
	for range 3 {
		try(t, os.WriteFile(broken, nil, 0o644))
		says(t, c, "PASV", 425)
		says(t, c, "PORT 203,0,113,10,200,10", 425)
		says(t, c, "NOOP", 200)
		try(t, os.Remove(broken))
		fetch(t, c, s.server.files, ftp.PASV, "pub/file")
		fetch(t, c, s.server.files, ftp.PORT, "pub/file")
	}
	if log := g.log(t); !strings.Contains(log, "promise_failed") || !strings.Contains(log, "the disk is on fire") {
		t.Error("the log does not say why")
	}
	try(t, c.Quit())
	g.closedAgain(t)
}

// The server dies in the middle of a transfer: the session ends, nothing of it
// stays open, and the next one is served.
func TestAServerThatDiesInATransferLeavesNothingOpen(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	c := s.connect(t)
	data, err := c.Open(ftp.PASV, "RETR pub/big")
	try(t, err)
	defer data.Close()
	out, err := s.Server.Command(t.Context(), "ip", "netns", "pids", s.Server.Namespace()).Output()
	try(t, err)
	for _, pid := range strings.Fields(string(out)) {
		var n int
		fmt.Sscan(pid, &n)
		if line, err := os.ReadFile("/proc/" + pid + "/cmdline"); err == nil && strings.Contains(string(line), "vsftpd") {
			try(t, ignoring(syscall.ESRCH, syscall.Kill(n, syscall.SIGKILL)))
		}
	}
	within(t, waitTimeout, "the session ends", func() error {
		if all := g.sessions(t); len(all) > 0 {
			return fmt.Errorf("%+v", all)
		}
		return nil
	})
	g.closedAgain(t)
	s.server = startVsftpd(t, s.Server, s.Own)
	fetch(t, s.connect(t), s.server.files, ftp.EPSV, "pub/file")
}

func ignoring(what, err error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// An interface goes down and comes up: sessions and transfers go on.
func TestAnInterfaceMayGoDownForAMoment(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"wan", "lan"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, lab.Inbound)
			s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
			g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
			c, idle := s.connect(t), s.connect(t)
			data, err := c.Open(ftp.PASV, "RETR pub/big")
			try(t, err)
			defer data.Close()
			for _, state := range []string{"down", "up"} {
				_, err := s.Gateway.Command(t.Context(), "ip", "link", "set", name, state).Output()
				try(t, err)
				time.Sleep(time.Second)
			}
			finish(t, s.server.files, "pub/big", data, nil)
			fetch(t, idle, s.server.files, ftp.PORT, "pub/file")
			fetch(t, s.connect(t), s.server.files, ftp.EPSV, "pub/file")
			try(t, errors.Join(c.Quit(), idle.Quit()))
			g.closedAgain(t)
		})
	}
}

// An address comes and goes under a listener of all addresses: clients are told
// the one that they have reached.
func TestAddressesMayChange(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: "[{name: any, listen: 0.0.0.0:21, server: 198.18.1.20:21}]"})
	old := s.connect(t)
	fetch(t, old, s.server.files, ftp.PASV, "pub/file")
	for n := range 2 {
		later := netip.AddrFrom4([4]byte{203, 0, 113, byte(5 + n)})
		try(t, s.Gateway.AddAddress("wan", later.String()+"/24"))
		c := s.connectFrom(t, s.Client, later)
		if told := fetch(t, c, s.server.files, ftp.PASV, "pub/file").Told; told.Addr() != later {
			t.Errorf("who has reached %s was told %s", later, told)
		}
		fetch(t, c, s.server.files, ftp.PORT, "pub/file")
		_, err := s.Gateway.Command(t.Context(), "ip", "addr", "del", later.String()+"/24", "dev", "wan").Output()
		try(t, err)
		fetch(t, old, s.server.files, ftp.EPSV, "pub/file")
	}
	try(t, old.Quit())
	g.stop(t)
}

// A client has hung up, and its server says nothing any more: the session ends,
// and its port is free again, long before the idle timeout.
func TestAClientThatHasHungUpOnASilentServerIsForgotten(t *testing.T) {
	t.Parallel()
	s := newSilentScene(t)
	answers := s.serveOnDemand(t, "198.18.1.20:2222")
	g := startGateway(t, s.Gateway, settings{listeners: "[{name: silent, listen: 203.0.113.1:2222, server: 198.18.1.20:2222}]", passive: "50000-50000"})
	c, err := ftp.Connect(t.Context(), "203.0.113.1:2222", ftp.Options{Dial: s.Client.Dial, Listen: s.Client.Listen})
	try(t, err)
	try(t, c.Send("PASV\r\n"))
	answers <- ""
	answers <- "227 Entering Passive Mode (198,18,1,20,78,32)"
	if r, err := c.Read(); err != nil || r.Code != 227 {
		t.Fatalf("PASV: %s, %v", r, err)
	}
	try(t, c.Close())
	const soon = 35 * time.Second // the idle timeout is 15 minutes
	within(t, soon, "the session ends", func() error {
		if all := g.sessions(t); len(all) > 0 {
			return fmt.Errorf("%+v", all)
		}
		return nil
	})
	g.closedAgain(t)
}
