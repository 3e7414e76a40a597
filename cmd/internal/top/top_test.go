package top

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/api"
)

// moment is when the first snapshot of the tests was made.
var moment = time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)

// gatewayAt returns what a gateway with some sessions answers seconds after
// moment.
func gatewayAt(seconds int) Snapshot {
	now := moment.Add(time.Duration(seconds) * time.Second)
	s := Snapshot{At: now, Status: api.Status{
		Version: "1.0", Ready: true, Started: moment.Add(-90 * time.Minute), Path: "conntrack", Pinholes: 2,
		Ports: alg.Ports{
			Passive: nat.Level{Total: 1000, Free: 60, Leased: 840, Resting: 100},
			Active:  nat.Level{Total: 1000, Free: 999, Leased: 1},
		},
		Counters: alg.Counters{Refused: 3, Transfers: 1234, TurnedAway: 1},
	}}
	for n := range 30 {
		s.Sessions = append(s.Sessions, someone(n+1, now, seconds))
	}
	total := &s.Status.Counters.Traffic
	for _, one := range s.Sessions {
		total.FromClient += one.FromClient
		total.FromServer += one.FromServer
		total.Counted = true
	}
	return s
}

// someone is session n of the gateway: every fifth downloads, the seventh is
// hostile, the ninth comes over IPv6.
func someone(n int, now time.Time, seconds int) api.Session {
	s := api.Session{
		Session: uint64(n), Listener: "legacy", User: "joe", State: "readable", Idle: float64(3 * n),
		Client:  netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}), uint16(40000+n)),
		Reached: netip.MustParseAddrPort("203.0.113.1:21"), Seen: netip.MustParseAddrPort("198.18.1.1:40001"),
		Server: netip.MustParseAddrPort("198.18.1.20:21"), Started: now.Add(-time.Duration(n) * time.Minute),
	}
	switch {
	case n%5 == 0:
		s.Transferring = true
		s.Transfer = &alg.RunningTransfer{Command: "RETR", File: fmt.Sprintf("pub/archive/file-%d.tar.gz", n), Began: moment, Relayed: n == 10}
		s.Traffic = alg.Traffic{FromClient: uint64(1000 * seconds), FromServer: uint64(1000_000 * n * seconds), Counted: true}
	case n == 7:
		s.User, s.State = "mallory\x1b[2J", "opaque"
	case n == 8:
		s.TLS, s.ServerTLS = &alg.TLSInfo{Version: "TLS 1.3"}, &alg.TLSInfo{Version: "TLS 1.2"}
	case n == 9:
		s.Client, s.Server = netip.MustParseAddrPort("[2001:db8:1::10]:40009"), netip.MustParseAddrPort("[2001:db8:2::20]:2121")
	}
	return s
}

// detailOf is what the gateway tells of one session.
func detailOf(s api.Session) *api.SessionDetail {
	at := func(ms int) time.Time { return moment.Add(time.Duration(ms) * time.Millisecond) }
	return &api.SessionDetail{
		SessionInfo: s,
		Dialogue: []alg.Line{
			{At: at(0), From: alg.FromServer, Text: "220 ready"},
			{At: at(12), From: alg.FromClient, Text: "USER joe"},
			{At: at(15), From: alg.FromClient, Text: "PASS ****"},
			{At: at(30), From: alg.FromServer, Text: "227 Entering Passive Mode (198,18,1,20,91,115).", Told: "227 Entering Passive Mode (203,0,113,1,195,97).", Pinhole: 34},
			{At: at(40), From: alg.FromClient, Text: "PORT 192,0,2,1,4,5", Refused: "third_party"},
			{At: at(41), From: alg.FromGateway, Text: "501 PORT to another host is refused."},
			{At: at(50), From: alg.FromClient, Text: "RETR x\x1b[2J"},
		},
		Data: []alg.DataConnection{{
			Pinhole: 34, Mode: expect.PASV, From: netip.MustParseAddr("203.0.113.10"), Reached: netip.MustParseAddrPort("203.0.113.1:50017"),
			Target: netip.MustParseAddrPort("198.18.1.20:23411"), Seen: netip.MustParseAddr("198.18.1.1"), Promised: moment,
			State: alg.DataConnected, Command: "RETR", File: "x", Traffic: alg.Traffic{FromServer: 123456789, FromClient: 1234, Counted: true},
		}},
	}
}

// pressed returns a Model that has seen the gateway three times and taken keys.
func pressed(keys ...Key) *Model {
	m := NewModel()
	m.Resize(80, 24)
	m.Take(gatewayAt(8))
	m.Take(gatewayAt(10))
	m.Take(gatewayAt(12))
	for _, k := range keys {
		m.Press(k)
	}
	if n := m.Shown(); n != 0 {
		s := gatewayAt(12)
		s.Detail = detailOf(s.Sessions[n-1])
		m.Take(s)
	}
	return m
}

// text returns a screen; where a line is not in one plain style, its styles
// follow.
func text(lines []Line) string {
	marks := [...]string{Normal: "normal", Strong: "strong", Faint: "faint", Head: "head", Chosen: "chosen", Good: "good", Warning: "warning", Bad: "bad"}
	var b strings.Builder
	for _, l := range lines {
		var styles []string
		for _, s := range l {
			if s.Style != Normal && s.Text != "" && (len(styles) == 0 || styles[len(styles)-1] != marks[s.Style]) {
				styles = append(styles, marks[s.Style])
			}
		}
		b.WriteString("|" + l.String() + "| " + strings.Join(styles, " ") + "\n")
	}
	return b.String()
}

// TestScreensLookLikeThis compares with goldens; UPDATE_GOLDEN=1 writes them.
func TestScreensLookLikeThis(t *testing.T) {
	gone := pressed()
	gone.Take(Snapshot{At: moment, Err: errors.New("no gateway answers at /run/ftpalg/admin.sock: is ftpalg running, and is --socket right?")})
	empty := NewModel()
	empty.Take(Snapshot{At: moment, Status: api.Status{Version: "1.0", Started: moment, Path: "iptables", Missing: []string{"it is starting or stopping"}}})
	ended := pressed('b', Enter)
	s := gatewayAt(13)
	s.Sessions = s.Sessions[:10]
	ended.Take(s)
	down := NewModel()
	down.Take(Snapshot{At: moment, Status: api.Status{Version: "1.0", Started: moment, Path: "conntrack", Ready: true, Servers: []api.Server{
		{Listener: "farm", Server: netip.MustParseAddrPort("198.18.1.20:21"), Up: true},
		{Listener: "farm", Server: netip.MustParseAddrPort("198.18.1.21:21"), Error: "connection refused"},
	}}})
	killed := pressed('k', 'y')
	killed.Say("session 1 has been ended")
	for name, m := range map[string]*Model{
		"sessions":     pressed(),
		"by_bytes":     pressed('b', Down, Down),
		"second_page":  pressed(End),
		"filter":       pressed('/', 'O', 'p', 'a'),
		"details":      pressed('b', Enter),
		"ended":        ended,
		"question":     pressed(Down, 'k'),
		"killed":       killed,
		"no_gateway":   gone,
		"no_session":   empty,
		"server_down":  down,
		"first_moment": NewModel(),
	} {
		for _, size := range [][2]int{{80, 24}, {200, 40}} {
			m.Resize(size[0], size[1])
			lines := m.Render()
			for i, l := range lines {
				if length(l.String()) > size[0] {
					t.Errorf("%s: line %d is wider than %d: %q", name, i, size[0], l)
				}
			}
			if len(lines) != size[1] {
				t.Errorf("%s: %d lines, want %d", name, len(lines), size[1])
			}
			compare(t, fmt.Sprintf("%s_%d.golden", name, size[0]), text(lines))
		}
	}
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
	}
}

func TestNoSizeIsTooSmall(t *testing.T) {
	for _, m := range []*Model{pressed(), pressed('b', Enter), pressed('k'), NewModel()} {
		for width := 0; width < 90; width += 3 {
			for height := 0; height < 30; height += 7 {
				m.Resize(width, height)
				for _, l := range m.Render() {
					if length(l.String()) > width {
						t.Fatalf("at %dx%d a line is %q", width, height, l)
					}
				}
			}
		}
	}
}
