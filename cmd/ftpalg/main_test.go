package main

import (
	"bytes"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/admin"
	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/cli"
)

// run executes a command line and returns what it says.
func runLine(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	var out, errs bytes.Buffer
	status = execute(args, &out, &errs)
	return out.String(), errs.String(), status
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gw.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const goodConfig = `listeners:
  - name: legacy
    listen: 203.0.113.1:21
    server: 198.18.1.20:21
  - name: lan
    transparent: {interface: lan}
    source: client
`

func TestCheckSaysGood(t *testing.T) {
	path := write(t, goodConfig)
	out, errs, status := runLine(t, "check", "--config", path)
	if status != 0 || errs != "" || out != path+": good, 2 listeners\n" {
		t.Errorf("check says %q, %q, status %d", out, errs, status)
	}
}

func TestCheckPrintsEveryErrorWithItsPosition(t *testing.T) {
	path := write(t, "listeners:\n  - name: legacy\n    lisen: 203.0.113.1:21\ndata:\n  passive_ports: 50000-70000\n")
	out, errs, status := runLine(t, "check", "--config", path)
	if status != 1 || out != "" {
		t.Errorf("status %d, output %q", status, out)
	}
	for _, want := range []string{path + ":3:5: listeners[0].lisen: ", `did you mean "listen"?`, path + ":5:18: data.passive_ports: "} {
		if !strings.Contains(errs, want) {
			t.Errorf("%q lacks %q", errs, want)
		}
	}
}

// TestCheckRulesPrintsWhatRunWouldCreate compares with a golden that reads
// like a shell script; UPDATE_GOLDEN=1 writes it.
func TestCheckRulesPrintsWhatRunWouldCreate(t *testing.T) {
	out, errs, status := runLine(t, "check", "--config", write(t, goodConfig), "--rules")
	if status != 0 || errs != "" {
		t.Fatalf("status %d, %q", status, errs)
	}
	compare(t, "check-rules.golden", out)
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
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRunOfABadFileTouchesNothing(t *testing.T) {
	_, errs, status := runLine(t, "run", "--config", write(t, "listeners: []\n"))
	if status != 1 || !strings.Contains(errs, "listeners") {
		t.Errorf("status %d, %q", status, errs)
	}
	_, errs, status = runLine(t, "run", "--config", filepath.Join(t.TempDir(), "none.yaml"))
	if status != 1 || !strings.Contains(errs, "none.yaml") {
		t.Errorf("status %d, %q", status, errs)
	}
}

func TestWrongCommandLinesExitWith2(t *testing.T) {
	for _, args := range [][]string{{"status", "--sokcet", "x"}, {"status", "more"}, {"statsu"}, {"session"}} {
		if _, errs, status := runLine(t, args...); status != cli.ExitMisused || errs == "" {
			t.Errorf("%v: status %d, %q", args, status, errs)
		}
	}
}

func TestStatusWithoutAGatewayExitsWith1(t *testing.T) {
	_, errs, status := runLine(t, "status", "--socket", filepath.Join(t.TempDir(), "none.sock"))
	if status != 1 || !strings.Contains(errs, "is ftpalg running") {
		t.Errorf("status %d, %q", status, errs)
	}
}

// moment is when everything in the picture began.
var moment = time.Date(2026, 1, 2, 3, 4, 5, 0, time.Local)

// picture is an admin.Source that never changes.
type picture struct{ ready bool }

func (p picture) Status() api.Status {
	s := api.Status{
		Version: "1.0", Ready: p.ready, Started: moment, Config: "/etc/ftpalg/ftpalg.yaml",
		Path: "iptables", Why: "configured", Netfilter: "iptables v1.8.9 (nf_tables)",
		Listeners: []string{"legacy: 203.0.113.1:21", "lan: traffic of lan over IPv4"}, Sessions: 1, Pinholes: 1,
		Ports:    alg.Ports{Passive: nat.Level{Total: 1000, Free: 939, Leased: 42, Resting: 19}, Active: nat.Level{Total: 1000, Free: 1000}},
		Counters: alg.Counters{Transfers: 1234, Refused: 1, Traffic: alg.Traffic{FromServer: 123456789, FromClient: 1234, Counted: true}},
		Reloaded: moment,
	}
	if !p.ready {
		s.Missing = []string{"it is starting or stopping"}
	}
	return s
}

func (p picture) Sessions() []api.Session {
	return []api.Session{{
		Session: 12, Listener: "legacy", Client: netip.MustParseAddrPort("203.0.113.10:40001"),
		Reached: netip.MustParseAddrPort("203.0.113.1:21"), Seen: netip.MustParseAddrPort("198.18.1.1:40001"),
		Server: netip.MustParseAddrPort("198.18.1.20:21"), User: "joe", Started: moment, Idle: 2.4, State: "readable",
		Transferring: true, Transfer: &alg.RunningTransfer{Command: "RETR", File: "a\x1bb", Began: moment},
		Announced: 3, ClientLines: 12, ServerLines: 1, Traffic: alg.Traffic{FromServer: 123456789, FromClient: 1234, Counted: true},
	}}
}

func (p picture) Pinholes() []api.Pinhole {
	return []api.Pinhole{{
		ID: 34, Session: 12, Mode: "PASV", From: netip.MustParseAddr("203.0.113.10"),
		Reached: netip.MustParseAddrPort("203.0.113.1:50017"), Target: netip.MustParseAddrPort("198.18.1.20:23411"),
		Seen: netip.MustParseAddr("198.18.1.1"), State: "promised", Expires: moment.Add(time.Minute),
	}}
}

func (p picture) Reload() error      { return nil }
func (p picture) TakeSessions(bool)  {}
func (p picture) Upgrade(bool) error { return nil }

func (p picture) Bans() []api.Ban {
	return []api.Ban{{Client: netip.MustParseAddr("203.0.113.66"), Until: time.Now().Add(time.Hour)}}
}

func (p picture) LiftBan(client netip.Addr) bool {
	return client == netip.MustParseAddr("203.0.113.66")
}

func (p picture) Session(n uint64) (api.SessionDetail, bool) {
	return api.SessionDetail{
		SessionInfo: p.Sessions()[0],
		Dialogue: []alg.Line{
			{At: moment, From: alg.FromServer, Text: "220 ready"},
			{At: moment, From: alg.FromClient, Text: "PASS ****"},
			{At: moment, From: alg.FromServer, Text: "227 (198,18,1,20,91,115)", Told: "227 (203,0,113,1,195,97)", Pinhole: 34},
			{At: moment, From: alg.FromClient, Text: "EPRT |1|203.0.113.10|40002|", Told: "EPRT |1|203.0.113.10|40002|", Pinhole: 33},
			{At: moment, From: alg.FromClient, Text: "PORT 192,0,2,1,4,5", Refused: "third_party"},
			{At: moment, From: alg.FromGateway, Text: "501 PORT to another host is refused."},
			{At: moment, From: alg.FromClient, Text: "RETR \x1b[2J"},
		},
		Data: []alg.DataConnection{{
			Pinhole: 34, Mode: expect.PASV, From: netip.MustParseAddr("203.0.113.10"), Reached: netip.MustParseAddrPort("203.0.113.1:50017"),
			Target: netip.MustParseAddrPort("198.18.1.20:23411"), Seen: netip.MustParseAddr("198.18.1.1"), Promised: moment,
			State: alg.DataConnected, Command: "RETR", File: "\x1b[2J", Traffic: alg.Traffic{FromServer: 123456789, FromClient: 1234, Counted: true},
		}},
	}, n == 12
}

func (p picture) Kill(n uint64) bool { return n == 12 }

func show(t *testing.T, p picture) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "admin.sock")
	var l net.Listener
	l, err := admin.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	s := admin.NewServer(l, p, nil)
	done := make(chan error, 1)
	go func() { done <- s.Serve() }()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return path
}

func TestTablesReadLikeThis(t *testing.T) {
	var all bytes.Buffer
	p := picture{ready: true}
	all.WriteString("$ ftpalg status\n")
	showStatus(&all, p.Status(), moment.Add(90*time.Minute))
	all.WriteString("$ ftpalg sessions\n")
	showSessions(&all, p.Sessions(), moment.Add(90*time.Second))
	all.WriteString("$ ftpalg pinholes\n")
	showPinholes(&all, p.Pinholes(), moment.Add(250*time.Millisecond))
	all.WriteString("$ ftpalg session 12\n")
	detail, _ := p.Session(12)
	showSession(&all, detail, moment.Add(90*time.Second))
	compare(t, "tables.golden", all.String())
}

func TestTablesAreShown(t *testing.T) {
	socket := show(t, picture{ready: true})
	for c, want := range map[string]string{"status": "ready", "sessions": "203.0.113.10:40001", "pinholes": "203.0.113.1:50017"} {
		out, errs, status := runLine(t, c, "--socket", socket)
		if status != 0 || errs != "" || !strings.Contains(out, want) {
			t.Errorf("%s: status %d, %q, %q", c, status, errs, out)
		}
	}
}

func TestStatusOfAGatewayThatIsNotReadyExitsWith1(t *testing.T) {
	out, errs, status := runLine(t, "status", "--socket", show(t, picture{}))
	if status != 1 || errs != "" || !strings.Contains(out, "not ready: it is starting or stopping") {
		t.Errorf("status %d, %q, %q", status, out, errs)
	}
}

func TestOneSessionIsShownAndKilled(t *testing.T) {
	socket := show(t, picture{ready: true})
	for _, c := range []struct {
		line   []string
		status int
		want   string
	}{
		{[]string{"session", "12"}, cli.ExitOK, "<--  220 ready"},
		{[]string{"session", "12", "--json"}, cli.ExitOK, `"text": "220 ready"`},
		{[]string{"session", "13"}, cli.ExitFailed, "there is no session 13"},
		{[]string{"session", "twelve"}, cli.ExitMisused, `"twelve" is not the number of a session`},
		{[]string{"session"}, cli.ExitMisused, "1 arg"},
		{[]string{"kill", "12"}, cli.ExitOK, "session 12 has been ended"},
		{[]string{"kill", "13"}, cli.ExitFailed, "there is no session 13"},
		{[]string{"top", "-n", "1"}, cli.ExitOK, "203.0.113.10:40001"},
	} {
		out, errs, status := runLine(t, append(c.line, "--socket", socket)...)
		if status != c.status || !strings.Contains(out+errs, c.want) {
			t.Errorf("%v: status %d, %q, %q", c.line, status, out, errs)
		}
	}
}

func TestBansAreListedAndLifted(t *testing.T) {
	socket := show(t, picture{ready: true})
	for _, c := range []struct {
		line   []string
		status int
		want   string
	}{
		{[]string{"bans"}, cli.ExitOK, "203.0.113.66  "},
		{[]string{"bans", "--json"}, cli.ExitOK, `"client": "203.0.113.66"`},
		{[]string{"bans", "--lift", "203.0.113.66"}, cli.ExitOK, "the ban of 203.0.113.66 has been lifted"},
		{[]string{"bans", "--lift", "203.0.113.67"}, cli.ExitFailed, "there is no ban of 203.0.113.67"},
		{[]string{"bans", "--lift", "joe"}, cli.ExitMisused, "joe: not an address"},
	} {
		out, errs, status := runLine(t, append(c.line, "--socket", socket)...)
		if status != c.status || !strings.Contains(out+errs, c.want) {
			t.Errorf("%v: status %d, %q, %q", c.line, status, out, errs)
		}
	}
}

func TestPinholesAsJSON(t *testing.T) {
	out, _, status := runLine(t, "pinholes", "--json", "--socket", show(t, picture{ready: true}))
	var got []map[string]any
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != 0 || len(got) != 1 {
		t.Fatalf("status %d, %v: %s", status, err, out)
	}
	for key, want := range map[string]any{
		"session": 12.0, "mode": "PASV", "from": "203.0.113.10", "to": "203.0.113.1:50017",
		"target": "198.18.1.20:23411", "state": "promised",
	} {
		if got[0][key] != want {
			t.Errorf("%s is %v, want %v", key, got[0][key], want)
		}
	}
	if _, err := time.Parse(time.RFC3339Nano, got[0]["expires"].(string)); err != nil {
		t.Errorf("expires: %v", err)
	}
}
