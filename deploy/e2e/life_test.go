package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// The listeners before and after a reload, as they are written and as status
// shows them.
const (
	firstListener  = "{name: first, listen: 203.0.113.1:21, server: 198.18.1.20:21, source: client}"
	secondListener = "{name: second, listen: 203.0.113.1:2121, server: 198.18.1.20:21, source: gateway}"

	onFirst  = "first: 203.0.113.1:21"
	onSecond = "second: 203.0.113.1:2121"
)

func TestReloadAddsAndRemovesListenersWhileSessionsGoOn(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: "[" + firstListener + "]"})
	old := s.connect(t)
	if s.reaches(t, 2121) {
		t.Error("port 2121 is open before the reload")
	}
	g.reload(t, settings{listeners: "[" + firstListener + ", " + secondListener + "]"}, onFirst, onSecond)
	fetch(t, s.connectPort(t, 2121), s.server.files, ftp.PASV, "pub/file")
	fetch(t, s.connect(t), s.server.files, ftp.PORT, "pub/file")
	fetch(t, old, s.server.files, ftp.PASV, "pub/file")

	g.reload(t, settings{listeners: "[" + secondListener + "]"}, onSecond)
	if s.reaches(t, 21) {
		t.Error("port 21 is open after its listener went")
	}
	fetch(t, s.connectPort(t, 2121), s.server.files, ftp.PORT, "pub/file")
	fetch(t, old, s.server.files, ftp.PASV, "pub/file")
	fetch(t, old, s.server.files, ftp.PORT, "pub/file")
	try(t, old.Quit())
}

// reload puts a configuration in force and waits until status shows its
// listeners.
func (g *gateway) reload(t *testing.T, next settings, listeners ...string) {
	t.Helper()
	g.configure(t, next)
	g.signal(t, syscall.SIGHUP)
	within(t, readyTimeout, "the configuration is taken", func() error {
		if now := askJSON[struct{ Listeners []string }](t, g, "status").Listeners; !slices.Equal(now, listeners) {
			return fmt.Errorf("it listens as %q", now)
		}
		return nil
	})
	g.quiet = g.rules(t)
}

// reaches reports whether a port of the server's contact address takes
// connections.
func (s *scene) reaches(t *testing.T, port uint16) bool {
	t.Helper()
	return admitted(s.tryDial(t, netip.AddrPortFrom(s.Contact, port), refusedTimeout))
}

// refusedTimeout is how long a connection is tried that must not come about:
// what the firewall drops is never answered.
const refusedTimeout = 1500 * time.Millisecond

func (s *scene) tryDial(t *testing.T, at netip.AddrPort, patience time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := s.Client.Dial(ctx, "tcp", "", at.String())
	if err != nil {
		return err
	}
	return c.Close()
}

// admitted reports whether a firewall let a connection through, be it to a
// host that refused it, or that closed its listener in that moment.
func admitted(err error) bool {
	return err == nil || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET)
}

func (s *scene) connectPort(t *testing.T, port uint16) *ftp.Client {
	t.Helper()
	c, err := ftp.Connect(t.Context(), netip.AddrPortFrom(s.Contact, port).String(), ftp.Options{Dial: s.Client.Dial, Listen: s.Client.Listen})
	try(t, err)
	t.Cleanup(func() { _ = c.Close() })
	try(t, c.Login("anonymous", "e2e"))
	return c
}

func TestBadFileLeavesTheRunningConfigurationInForce(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	good := settings{listeners: frontingClient}
	g := startGateway(t, s.Gateway, good)
	c := s.connect(t)
	text, err := os.ReadFile(g.configFile())
	try(t, err)
	try(t, os.WriteFile(g.configFile(), append(text, "limits2: {}\n"...), 0o644))
	line := bytes.Count(text, []byte("\n")) + 1
	position := fmt.Sprintf("%s:%d:1: limits2: ", g.configFile(), line)

	g.signal(t, syscall.SIGHUP)
	within(t, readyTimeout, "status says why", func() error {
		status, err := g.ask("status") // which also says that it is ready
		if err == nil && !strings.Contains(status, position) {
			err = errors.New(status)
		}
		return err
	})
	if !strings.Contains(g.log(t), position) {
		t.Errorf("the log does not say %q", position)
	}
	fetch(t, c, s.server.files, ftp.PASV, "pub/file")
	fetch(t, s.connect(t), s.server.files, ftp.PORT, "pub/file")

	g.configure(t, good)
	g.signal(t, syscall.SIGHUP)
	within(t, readyTimeout, "a good file is taken again", func() error {
		status, err := g.ask("status")
		if err == nil && strings.Contains(status, "limits2") {
			err = errors.New(status)
		}
		return err
	})
	try(t, c.Quit())
}

func TestSigtermLetsTransfersFinishAndLeavesNoTrace(t *testing.T) {
	for _, tt := range []struct {
		name      string
		topology  topology
		listeners string
	}{{"fronting", lab.Inbound, frontingClient}, {"TPROXY", lab.Outbound, lanTPROXY}} {
		for _, m := range []ftp.Mode{ftp.PASV, ftp.PORT} {
			t.Run(fmt.Sprintf("%s, %s", tt.name, m), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, tt.topology)
				s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
				g := newGateway(t, s.Gateway, settings{listeners: tt.listeners})
				rules, ways := g.rules(t), routes(t, s.Gateway)
				g.start(t)
				idle, busy := s.connect(t), s.connect(t)
				data, err := busy.Open(m, "RETR pub/big")
				try(t, err)
				g.signal(t, syscall.SIGTERM)
				wants(t, idle, 421)
				wantEnd(t, idle)
				var got bytes.Buffer
				_, err = got.ReadFrom(data)
				try(t, err)
				try(t, data.Finish())
				same(t, s.server.files, "pub/big", got.Bytes())
				wants(t, busy, 421)
				wantEnd(t, busy)
				if err := g.ends(t); err != nil {
					t.Errorf("it ended with %v", err)
				}
				g.noTrace(t, rules, ways)
			})
		}
	}
}

// wantEnd holds that the server's stream has ended, in order.
func wantEnd(t *testing.T, c *ftp.Client) {
	t.Helper()
	if reply, err := c.Read(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, %v; want the end", reply, err)
	}
}

func TestGraceEndsATransferThatGoesOnTooLong(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient, limits: "{drain_timeout: 1s}"})
	rules := withoutOurs(g.quiet)
	c := s.connect(t)
	data, err := c.Open(ftp.PASV, "RETR pub/big") // which nobody reads
	try(t, err)
	defer data.Close()
	g.signal(t, syscall.SIGTERM)
	wants(t, c, 421)
	if err := g.ends(t); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if after := g.rules(t); after != rules {
		t.Errorf("the rules differ:\n%s", difference(after, rules))
	}
}

func TestPromiseOutlivesACrashNoLongerThanItsTime(t *testing.T) {
	t.Parallel()
	const life = 8 * time.Second // for what happens between promise and crash, on a busy machine too
	s := newScene(t, lab.Inbound)
	g := newGateway(t, s.Gateway, settings{listeners: frontingClient, pinhole: life.String()})
	rules, ways := g.rules(t), routes(t, s.Gateway)
	g.start(t)
	quiet := g.quiet
	used, unused := s.connect(t), s.connect(t)
	at := told(t, says(t, used, "PASV", 227), s.Contact)
	late := told(t, says(t, unused, "PASV", 227), s.Contact)
	says(t, unused, "NOOP", 200)
	expires := g.pinholes(t)[1].Expires
	g.kill(t)
	if err := s.tryDial(t, at, waitTimeout); !admitted(err) {
		t.Errorf("right after the crash the promised port gave %v; want it open, or this test shows nothing", err)
	}
	// A rule holds for the whole of its last second, and the kernel's timers
	// may be late by an eighth of their time (kernel/time/timer.c).
	const slack = life / 8
	time.Sleep(time.Until(expires.Truncate(time.Second).Add(1100*time.Millisecond + slack)))
	if dataPath() == "iptables" && !strings.Contains(g.rules(t), fmt.Sprintf(" --dport %d ", late.Port())) {
		t.Error("the rule has gone with the process, so this test shows nothing")
	}
	if err := s.tryDial(t, late, refusedTimeout); admitted(err) {
		t.Error("the promise of a dead gateway is still kept after its time")
	}

	g.start(t)
	if g.quiet != quiet {
		t.Errorf("the next gateway has other rules than the first:\n%s", difference(g.quiet, quiet))
	}
	c := s.connect(t)
	fetch(t, c, s.server.files, ftp.PORT, "pub/file")
	says(t, c, "PASV", 227)
	g.kill(t)
	if out := g.cleanup(t); !strings.Contains(out, "removed:") {
		t.Errorf("cleanup said %q", out)
	}
	g.noTrace(t, rules, ways)
	if out := g.cleanup(t); !strings.Contains(out, "nothing was left") {
		t.Errorf("the second cleanup said %q", out)
	}
}

func TestTransferOutlivesACrash(t *testing.T) {
	if dataPath() == "relay" {
		t.Skip("what the process carries ends with it")
	}
	for _, m := range []ftp.Mode{ftp.PASV, ftp.PORT} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			s := newScene(t, lab.Outbound)
			s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
			g := newGateway(t, s.Gateway, settings{listeners: lanTPROXY})
			rules, ways := g.rules(t), routes(t, s.Gateway)
			g.start(t)
			data, err := s.connect(t).Open(m, "RETR pub/big")
			try(t, err)
			g.kill(t)
			// vsftpd goes on sending although its control connection has ended.
			try(t, data.SetDeadline(time.Now().Add(waitTimeout)))
			var got bytes.Buffer
			_, err = got.ReadFrom(net.Conn(data))
			try(t, err)
			same(t, s.server.files, "pub/big", got.Bytes())
			g.cleanup(t)
			g.noTrace(t, rules, ways)
		})
	}
}
