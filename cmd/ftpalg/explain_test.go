package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestExplainExitsByTheAnswer(t *testing.T) {
	path := write(t, goodConfig+"    tls: refuse\n")
	edge := write(t, "listeners:\n  - {name: lan, transparent: {interface: lan, clients: [198.18.0.0/24]}, source: client}\n")
	tests := []struct {
		name   string
		args   []string
		status int
		want   string // in the output or the error
	}{
		{"taken", []string{"-c", edge, "--client", "198.18.0.10", "--server", "203.0.113.20"}, exitOK, "lan: takes over connections to 203.0.113.20:21"},
		{"not taken", []string{"-c", edge, "--client", "192.0.2.10", "--server", "203.0.113.20"}, exitFailed, "192.0.2.10 is in none of its clients' networks"},
		{"a port", []string{"-c", edge, "--client", "198.18.0.10", "--server", "203.0.113.20:2121"}, exitFailed, "port 2121 is not among its ports"},
		{"another interface", []string{"-c", edge, "--client", "198.18.0.10", "--server", "203.0.113.20", "--interface", "wan"}, exitFailed, "by lan, not by wan"},
		{"it depends", []string{"-c", edge, "--client", "198.18.0.10"}, exitMisused, "give --server"},
		{"no client", []string{"-c", path}, exitMisused, "--client"},
		{"no address", []string{"-c", path, "--client", "host"}, exitMisused, "--client"},
		{"no server's address", []string{"-c", path, "--client", "198.18.0.10", "--server", "host"}, exitMisused, "--server"},
		{"two families", []string{"-c", path, "--client", "198.18.0.10", "--server", "2001:db8::1"}, exitMisused, "other address family"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out, errs, status := runLine(t, append([]string{"explain"}, tt.args...)...)
			if status != tt.status || !strings.Contains(out+errs, tt.want) || (out != "") == (errs != "") {
				t.Errorf("status %d, want %d\n%s%s", status, tt.status, out, errs)
			}
		})
	}
}

func TestExplainAsJSON(t *testing.T) {
	path := write(t, "listeners:\n  - {name: legacy, listen: 203.0.113.1:21, server: 198.18.1.20:21, source: client}\n")
	out, _, status := runLine(t, "explain", "--json", "-c", path, "--client", "203.0.113.10")
	var got struct {
		Client    string
		Listeners []struct {
			Name     string
			Takes    bool
			Sessions []struct {
				Seen          string
				Announcements []struct {
					Mode, Address, Ports, Expectation string
					Rules                             []string
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != exitOK {
		t.Fatalf("status %d, %v: %s", status, err, out)
	}
	l := got.Listeners[0]
	if got.Client != "203.0.113.10" || l.Name != "legacy" || !l.Takes || l.Sessions[0].Seen != "203.0.113.10" {
		t.Errorf("%+v", got)
	}
	pasv := l.Sessions[0].Announcements[0]
	if pasv.Mode != "PASV" || pasv.Address != "203.0.113.1" || pasv.Ports != "a port of 50000-50999" || pasv.Expectation == "" || len(pasv.Rules) != 2 {
		t.Errorf("%+v", pasv)
	}
}
