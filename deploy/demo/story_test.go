package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// tell runs the demo and returns what it wrote, having checked that nothing
// is left of it.
func tell(t *testing.T, program string) (string, error) {
	t.Helper()
	needHosts(t)
	var out bytes.Buffer
	began := time.Now()
	err := Run(t.Context(), &out, Options{Program: program})
	t.Logf("the demo took %.1f s", time.Since(began).Seconds())
	if left := hostsOf(t, os.Getpid()); len(left) > 0 {
		t.Errorf("hosts are left: %v", left)
	}
	if left := processes(); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
	return out.String(), err
}

func TestTheStoryGoesAsItShould(t *testing.T) {
	text, err := tell(t, program)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	text = masked(text)
	failures, transfers := chapters(text)
	checkFailures(t, failures)
	checkTransfers(t, transfers)
	golden(t, "testdata/story.golden", text)
}

// chapters splits the text into the transfers without the gateway and those
// through it.
func chapters(text string) (failures, transfers []string) {
	all := regexp.MustCompile(`(?m)^  (PASV|EPSV|PORT|EPRT), `).Split(text, -1)
	for _, chapter := range all[1:] {
		if strings.Contains(chapter, "client tries") {
			failures = append(failures, chapter)
		} else {
			transfers = append(transfers, chapter)
		}
	}
	return failures, transfers
}

func checkFailures(t *testing.T, failures []string) {
	t.Helper()
	if len(failures) != 2 {
		t.Fatalf("%d transfers failed without the gateway, want 2", len(failures))
	}
	for i, reason := range []string{"network is unreachable", "no answer in"} {
		if !strings.Contains(failures[i], "fails: ") || !strings.Contains(failures[i], reason) {
			t.Errorf("this should have failed with %q:\n%s", reason, failures[i])
		}
	}
}

func checkTransfers(t *testing.T, transfers []string) {
	t.Helper()
	if len(transfers) != 6 {
		t.Fatalf("%d transfers through the gateway, want 6", len(transfers))
	}
	for _, transfer := range transfers {
		for _, want := range []string{
			`nat     -A FTPALG-PREROUTING -s `, `filter  -A FTPALG-FORWARD -s `, ` -j ACCEPT`,
			" sent ", " received ", "3000000 bytes, sha256 SUM, ok",
		} {
			if !strings.Contains(transfer, want) {
				t.Errorf("%q is not in:\n%s", want, transfer)
			}
		}
	}
}

// masked puts each rule on one line again, as iptables prints it, and hides
// what differs from run to run.
func masked(text string) string {
	for _, m := range []struct{ pattern, by string }{
		{`\n {12}(\S)`, " $1"},
		{`--(dport|ctorigdstport) \d{4,5}\b`, "--$1 PORT"},
		{`(198\.18\.[01]\.\d+|203\.0\.113\.\d+):\d{4,5}\b`, "$1:PORT"},
		{`((?:\d+,){4})\d+,\d+`, "${1}P,P"},
		{`\|\d{4,5}\|`, "|PORT|"},
		{`--datestop \S+`, "--datestop UTC"},
		{`--hashlimit-name \S+`, "--hashlimit-name NAME"},
		{`sha256 [0-9a-f]{16}`, "sha256 SUM"},
		{`It took [0-9.]+ s`, "It took N s"},
	} {
		text = regexp.MustCompile(m.pattern).ReplaceAllString(text, m.by)
	}
	return text
}

// golden compares got with a file, or writes that file if UPDATE_GOLDEN is
// set.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

func TestAGatewayThatFailsIsShownAndNamed(t *testing.T) {
	sham := filepath.Join(t.TempDir(), "sham")
	if err := os.WriteFile(sham, []byte("#!/bin/sh\necho no such luck\nexit 3\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	text, err := tell(t, sham)
	if err == nil {
		t.Fatalf("the demo went well with a sham gateway:\n%s", text)
	}
	for _, want := range []string{"scene 2 (The server is behind NAT)", "scene 3 (The client is behind NAT)", "scene 4 (IPv6)"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the error: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "scene 1") {
		t.Errorf("the scene without the gateway failed too: %v", err)
	}
	if got := strings.Count(text, "FAILED"); got != 3 {
		t.Errorf("FAILED appears %d times, want 3", got)
	}
	if !strings.Contains(text, "the gateway's log ends:\n      no such luck\n") {
		t.Errorf("the gateway's log is not shown:\n%s", text)
	}
	if strings.Contains(text, "all as it should be") {
		t.Errorf("the last word is praise:\n%s", text)
	}
}

func TestTracesOfARunningGatewayAreFound(t *testing.T) {
	needHosts(t)
	for _, sc := range []scene{clientBehindNAT(), overIPv6()} {
		t.Run(sc.title, func(t *testing.T) {
			st, err := setStage(t.Context(), sc)
			if err != nil {
				t.Fatal(err)
			}
			defer st.close()
			before, err := findTraces(t.Context(), st.Gateway)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := startGateway(t.Context(), st.Gateway, program, sc.listeners, st.dir); err != nil {
				t.Fatal(err)
			}
			now, err := findTraces(t.Context(), st.Gateway)
			if err != nil {
				t.Fatal(err)
			}
			left := left{after: now.since(before)}
			if len(left.after.rules) == 0 || len(left.after.routes) < 2 {
				t.Errorf("found rules %q and routes %q; want some, and a policy rule with its route", left.after.rules, left.after.routes)
			}
			if err := left.judge(); err == nil || !strings.Contains(err.Error(), "FTPALG-FORWARD") {
				t.Errorf("judged: %v", err)
			}
		})
	}
}
