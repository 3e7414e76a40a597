package main

import (
	"encoding/json"
	"strings"
	"testing"

	"ftpalg/cmd/internal/cli"
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
		{"taken", []string{"-c", edge, "--client", "198.18.0.10", "--server", "203.0.113.20"}, cli.ExitOK, "lan: takes over connections to 203.0.113.20:21"},
		{"not taken", []string{"-c", edge, "--client", "192.0.2.10", "--server", "203.0.113.20"}, cli.ExitFailed, "192.0.2.10 is in none of its clients' networks"},
		{"a port", []string{"-c", edge, "--client", "198.18.0.10", "--server", "203.0.113.20:2121"}, cli.ExitFailed, "port 2121 is not among its ports"},
		{"another interface", []string{"-c", edge, "--client", "198.18.0.10", "--server", "203.0.113.20", "--interface", "wan"}, cli.ExitFailed, "by lan, not by wan"},
		{"it depends", []string{"-c", edge, "--client", "198.18.0.10"}, cli.ExitMisused, "give --server"},
		{"no client", []string{"-c", path}, cli.ExitMisused, "--client"},
		{"no address", []string{"-c", path, "--client", "host"}, cli.ExitMisused, "--client"},
		{"no server's address", []string{"-c", path, "--client", "198.18.0.10", "--server", "host"}, cli.ExitMisused, "--server"},
		{"two families", []string{"-c", path, "--client", "198.18.0.10", "--server", "2001:db8::1"}, cli.ExitMisused, "other address family"},
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
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != cli.ExitOK {
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
