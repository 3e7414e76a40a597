package e2e

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

func TestExhaustedPortsAreRefusedAndRecover(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient, passive: "50000-50002", pinhole: "10m"})
	holders := []*ftp.Client{s.connect(t), s.connect(t), s.connect(t)}
	taken := make(map[uint16]bool)
	for _, c := range holders {
		taken[told(t, says(t, c, "PASV", 227), s.Contact).Port()] = true
	}
	if len(taken) != 3 || !taken[50000] || !taken[50001] || !taken[50002] {
		t.Errorf("three clients were told the ports %v", taken)
	}
	c := s.connect(t)
	for range 3 {
		says(t, c, "PASV", 425)
		says(t, c, "EPSV", 425)
	}
	fetch(t, c, s.server.files, ftp.PORT, "pub/small")
	try(t, holders[0].Quit())
	within(t, waitTimeout, "a port is free again", func() error {
		reply, err := c.Cmd("PASV")
		if err == nil && reply.Code != 227 {
			err = errors.New(reply.String())
		}
		return err
	})
	try(t, errors.Join(holders[1].Quit(), holders[2].Quit()))
	fetch(t, c, s.server.files, ftp.PASV, "pub/small")
	fetch(t, c, s.server.files, ftp.EPSV, "pub/small")
	try(t, c.Quit())
	g.closedAgain(t)
}

func TestOneClientHasAtMostItsNumberOfSessions(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	try(t, s.Client.AddAddress("eth0", "203.0.113.11/24"))
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient, limits: "{sessions_per_client: 2}"})
	first, _ := s.connect(t), s.connect(t)
	refusedWith(t, s, 421, "Too many sessions from your address")

	other, err := s.Client.Dial(t.Context(), "tcp", "203.0.113.11:0", "203.0.113.1:21")
	try(t, err)
	defer other.Close()
	greeting := make([]byte, 3)
	try(t, other.SetDeadline(time.Now().Add(waitTimeout)))
	if _, err := other.Read(greeting); err != nil || string(greeting) != "220" {
		t.Errorf("another client was greeted with %q, %v", greeting, err)
	}

	try(t, first.Quit())
	within(t, waitTimeout, "one session less", func() error {
		if n := len(g.sessions(t)); n != 2 {
			return fmt.Errorf("%d sessions", n)
		}
		return nil
	})
	fetch(t, s.connect(t), s.server.files, ftp.PASV, "pub/small")
}

// refusedWith holds that a new session is refused with a code and a text.
func refusedWith(t *testing.T, s *scene, code int, text string) {
	t.Helper()
	_, err := s.tryConnect(t, s.Client, s.Contact)
	var refusal *ftp.ReplyError
	if !errors.As(err, &refusal) || refusal.Reply.Code != code || !strings.Contains(refusal.Reply.String(), text) {
		t.Errorf("a new session got %v, want %d %s", err, code, text)
	}
}

func TestUnreachableServerIsSaid(t *testing.T) {
	t.Parallel()
	s := newHosts(t, lab.Inbound)
	startGateway(t, s.Gateway, settings{limits: "{connect_timeout: 1s}", listeners: `[
  {name: closed, listen: 203.0.113.1:21, server: 198.18.1.20:21, source: gateway},
  {name: dropped, listen: 203.0.113.1:2121, server: 198.18.1.20:2121, source: client}]`})
	_, err := s.Server.Iptables("-A", "INPUT", "-p", "tcp", "--dport", "2121", "-j", "DROP")
	try(t, err)
	refusedWith(t, s, 421, "cannot be reached: connection refused")
	_, err = ftp.Connect(t.Context(), "203.0.113.1:2121", ftp.Options{Dial: s.Client.Dial})
	var refusal *ftp.ReplyError
	if !errors.As(err, &refusal) || refusal.Reply.Code != 421 || !strings.Contains(refusal.Reply.String(), "cannot be reached: no answer") {
		t.Errorf("a server that drops packets: %v", err)
	}
}

// silences are the ways in which a peer can fall silent.
var silences = []struct {
	name string
	fall func(*testing.T, *silentScene)
}{
	{"the client never speaks", func(t *testing.T, s *silentScene) { s.dial(t) }},
	{"the server never speaks", func(t *testing.T, s *silentScene) {
		c, err := s.Client.Dial(t.Context(), "tcp", "", "203.0.113.1:2121")
		try(t, err)
		t.Cleanup(func() { _ = c.Close() })
	}},
	{"the client vanishes", func(t *testing.T, s *silentScene) {
		says(t, s.connect(t), "PASV", 227)
		_, err := s.Client.Command(t.Context(), "ip", "link", "set", "eth0", "down").Output()
		try(t, err)
	}},
	{"the client vanishes in a transfer", func(t *testing.T, s *silentScene) {
		data, err := s.connect(t).Open(ftp.PASV, "RETR pub/big")
		try(t, err)
		t.Cleanup(func() { _ = data.Close() })
		_, err = s.Client.Command(t.Context(), "ip", "link", "set", "eth0", "down").Output()
		try(t, err)
	}},
}

// silentScene is an inbound scene with a second client, and with a second
// server that accepts and never speaks.
type silentScene struct {
	*scene
	other *lab.Host
}

func TestSilentSessionEndsAndDisturbsNobody(t *testing.T) {
	for _, silence := range silences {
		t.Run(silence.name, func(t *testing.T) {
			t.Parallel()
			s := newSilentScene(t)
			g := startGateway(t, s.Gateway, settings{limits: "{idle_timeout: 3s}", pinhole: "10m", listeners: `[
  {name: legacy, listen: [203.0.113.1:21, 203.0.114.1:21], server: 198.18.1.20:21, source: client},
  {name: silent, listen: 203.0.113.1:2121, server: 198.18.1.20:2121, source: gateway}]`})
			silence.fall(t, s)
			within(t, waitTimeout, "the session exists", func() error {
				if n := len(g.sessions(t)); n != 1 {
					return fmt.Errorf("%d sessions", n)
				}
				return nil
			})
			// The other client works until the silent session has ended.
			within(t, 3*waitTimeout, "the silent session ends", func() error {
				c := s.connectFrom(t, s.other, netip.MustParseAddr("203.0.114.1"))
				for _, m := range allModes() {
					fetch(t, c, s.server.files, m, "pub/small")
				}
				try(t, c.Quit())
				for _, open := range g.sessions(t) {
					if open.Client.Addr() != netip.MustParseAddr("203.0.114.10") {
						return fmt.Errorf("%+v", open)
					}
				}
				return nil
			})
			g.forgets(t)
			g.closedAgain(t)
		})
	}
}

func newSilentScene(t *testing.T) *silentScene {
	t.Helper()
	s := newScene(t, lab.Inbound, "data_connection_timeout=10")
	s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
	other, err := s.Network.Host("other")
	try(t, err)
	try(t, s.Wire(other, "eth0", "203.0.114.10/24", s.Gateway, "oth", "203.0.114.1/24"))
	mute, err := s.Server.Listen("tcp", "198.18.1.20:2121") // its backlog accepts
	try(t, err)
	t.Cleanup(func() { _ = mute.Close() })
	return &silentScene{s, other}
}

// What a listener's policy forbids does not reach the server, and the log names
// the setting.
func TestAReadOnlyListenerTakesNoUploads(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: "[{name: files, listen: 203.0.113.1:21, server: 198.18.1.20:21, source: client, " +
		"commands: read-only, deny: [SIZE], modes: passive, refusal: Only downloads here.}]"})
	c := s.connect(t)
	fetch(t, c, s.server.files, ftp.PASV, "pub/file")
	for command, want := range map[string]int{
		"STOR up/new": 550, "DELE pub/file": 550, "SITE CHMOD 777 pub/file": 550, "SIZE pub/file": 550,
		"PORT 203,0,113,10,200,10": 502, "NOOP": 200,
	} {
		if reply := says(t, c, command, want); want != 200 && !strings.Contains(reply.String(), "Only downloads here.") {
			t.Errorf("%s: %s", command, reply)
		}
	}
	fetch(t, c, s.server.files, ftp.EPSV, "pub/file")
	try(t, c.Quit())
	log := g.log(t)
	for _, setting := range []string{"commands: read-only", "deny: SIZE", "modes: passive"} {
		if !strings.Contains(log, "setting=\""+setting+"\"") {
			t.Errorf("the log does not name %q", setting)
		}
	}
	g.closedAgain(t)
}
