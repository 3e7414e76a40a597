package metrics

import (
	"bufio"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"ftpalg/alg"
	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
	"ftpalg/alg/wire"
	"ftpalg/cmd/internal/api"
	"ftpalg/rules"
)

// watched returns the metrics of a gateway that is in the state s points to.
func watched(s *State) *Metrics {
	m := New(Build{Version: "1.2.3", Revision: "abc", GoVersion: "go1"})
	m.Watch(func() State { return *s })
	return m
}

// answer returns what a scrape sees.
func answer(m *Metrics) string {
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestMetricsFollowTheRulesOfPrometheus(t *testing.T) {
	problems, err := testutil.GatherAndLint(watched(new(State)).registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// withAll returns a state in which every metric of ours has a value.
func withAll() *State {
	return &State{Status: api.Status{
		Certificates: []api.Certificate{{Listener: "legacy", Names: []string{"ftp.example.net"}}},
		Servers:      []api.Server{{Listener: "farm", Server: netip.MustParseAddrPort("198.18.1.20:21")}},
	}}
}

// TestNamesStay compares the heads of all metrics of ours with a golden:
// dashboards and alerts of operators use them. UPDATE_GOLDEN=1 writes it.
func TestNamesStay(t *testing.T) {
	var heads strings.Builder
	lines := bufio.NewScanner(strings.NewReader(answer(watched(withAll()))))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "# HELP ftpalg_") || strings.HasPrefix(lines.Text(), "# TYPE ftpalg_") {
			heads.WriteString(lines.Text() + "\n")
		}
	}
	golden := filepath.Join("testdata", "heads.golden")
	if os.Getenv("UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(golden, []byte(heads.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if heads.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", heads.String(), want)
	}
}

func TestTheProcessIsMeasuredToo(t *testing.T) {
	for _, name := range []string{"go_goroutines", "process_open_fds", "process_resident_memory_bytes"} {
		if !strings.Contains(answer(watched(new(State))), "\n"+name+" ") {
			t.Errorf("%s is missing", name)
		}
	}
}

// TestEachMetricMoves has one thing happen at a time, and looks for the lines
// that it changes, and for no other.
func TestEachMetricMoves(t *testing.T) {
	var s State
	m := watched(&s)
	o := m.Observer()
	client := netip.MustParseAddrPort("203.0.113.10:4711")
	for _, c := range []struct {
		name   string
		happen func()
		want   []string
	}{
		{"a session ends", func() { o.Ended(alg.SessionInfo{Client: client}, alg.Idle, 3*time.Second) },
			[]string{`ftpalg_sessions_total{outcome="idle"} 1`, `ftpalg_session_duration_seconds_sum 3`, `ftpalg_session_duration_seconds_count 1`,
				`ftpalg_session_duration_seconds_bucket{le="4"} 1`}},
		{"a connection is turned away", func() { o.Rejected("legacy", client, alg.RejectClientLimit) },
			[]string{`ftpalg_refusals_total{reason="client_limit"} 1`}},
		{"a PORT is refused", func() { o.Refused(alg.Refusal{Session: 1, Verb: wire.PORT, Reason: dialogue.ThirdParty}) },
			[]string{`ftpalg_refusals_total{reason="third_party"} 1`, `ftpalg_rewrites_total{result="refused",verb="port"} 1`}},
		{"a line is refused", func() { o.Refused(alg.Refusal{Session: 1, Reason: dialogue.TooLong}) },
			[]string{`ftpalg_refusals_total{reason="too_long"} 1`}},
		{"an announcement is rewritten", func() {
			o.Announced(alg.Announced{Mode: expect.EPSV, Result: alg.Replaced, Opening: 30 * time.Millisecond})
		}, []string{`ftpalg_rewrites_total{result="replaced",verb="epsv"} 1`, `ftpalg_pinhole_open_seconds_sum 0.03`, `ftpalg_pinhole_open_seconds_count 1`,
			`ftpalg_pinhole_open_seconds_bucket{le="0.05"} 1`}},
		{"no port is free", func() {
			o.Announced(alg.Announced{Mode: expect.PASV, Result: alg.NotOpened, Cause: alg.CausePool})
		}, []string{`ftpalg_rewrites_total{result="refused",verb="pasv"} 1`, `ftpalg_refusals_total{reason="pool_exhausted"} 1`}},
		{"a promise is used", func() { o.PinholeEnded(alg.PinholeEnd{Mode: expect.EPRT, End: alg.EndUsed}) },
			[]string{`ftpalg_expectations_total{mode="eprt",outcome="used"} 1`}},
		{"a download ends", func() {
			o.TransferEnded(alg.Transfer{Transfer: dialogue.Transfer{Verb: wire.RETR}, Client: client, Mode: expect.PASV, Traffic: alg.Traffic{FromServer: 2000, FromClient: 70, Counted: true}})
		}, []string{`ftpalg_transfers_total{direction="download",mode="pasv"} 1`, `ftpalg_transfer_bytes_total{direction="download",mode="pasv"} 2000`}},
		{"an upload ends that nobody announced", func() {
			o.TransferEnded(alg.Transfer{Transfer: dialogue.Transfer{Verb: wire.STOR}, Client: client, Traffic: alg.Traffic{FromClient: 500, Counted: true}})
		}, []string{`ftpalg_transfers_total{direction="upload",mode="none"} 1`, `ftpalg_transfer_bytes_total{direction="upload",mode="none"} 500`}},
		{"a relayed listing ends", func() {
			o.TransferEnded(alg.Transfer{Transfer: dialogue.Transfer{Verb: wire.LIST}, Client: client, Mode: expect.EPSV, Relayed: true})
		}, []string{`ftpalg_transfers_total{direction="download",mode="epsv"} 1`, `ftpalg_transfers_relayed_total 1`}},
		{"a data connection resumes TLS", func() {
			o.Secured(alg.Secured{Side: alg.FromServer, Data: true, TLS: alg.TLSInfo{Version: "TLS 1.3", Resumed: true}})
		}, []string{`ftpalg_tls_handshakes_total{connection="data",resumed="yes",side="server",version="1.3"} 1`}},
		{"a session is encrypted", func() { o.Opaque(1, true) }, []string{`ftpalg_opaque_sessions_total{action="passed"} 1`}},
		{"encryption is refused", func() { o.Opaque(1, false) }, []string{`ftpalg_opaque_sessions_total{action="refused"} 1`}},
		{"rules were missing", func() { m.Drifted(3) }, []string{`ftpalg_rule_drift_total 3`}},
		{"a configuration is taken", func() { m.Reloaded(true, time.Unix(1234, 500_000_000)) },
			[]string{`ftpalg_config_last_reload_successful 1`, `ftpalg_config_last_reload_success_timestamp_seconds 1234.5`}},
		{"a configuration is not taken", func() { m.Reloaded(false, time.Unix(2345, 0)) },
			[]string{`ftpalg_config_last_reload_successful 0`}},
		{"it is ready", func() { s.Ready = true }, []string{`ftpalg_ready 1`}},
		{"a session is open", func() { s.Sessions = 7 }, []string{`ftpalg_sessions_active 7`}},
		{"lines are said", func() { s.Counters = alg.Counters{ClientLines: 5, ServerLines: 6} },
			[]string{`ftpalg_control_lines_total{side="client"} 5`, `ftpalg_control_lines_total{side="server"} 6`}},
		{"a data connection is promised", func() { s.Expectations = []expect.Expectation{{Mode: expect.PORT}} },
			[]string{`ftpalg_expectations_active{mode="port"} 1`}},
		{"ports are used", func() { s.Ports.Passive = nat.Level{Total: 10, Free: 7, Leased: 2, Resting: 1} },
			[]string{`ftpalg_external_ports{range="passive",state="free"} 7`, `ftpalg_external_ports{range="passive",state="leased"} 2`,
				`ftpalg_external_ports{range="passive",state="quarantined"} 1`}},
		{"rules stand", func() { s.Rules.Installed = 23 }, []string{`ftpalg_rules_installed 23`}},
		{"rules are opened", func() { s.Rules.Opened = rules.Tally{Done: 4, Failed: 1} },
			[]string{`ftpalg_rule_operations_total{op="open",result="ok"} 4`, `ftpalg_rule_operations_total{op="open",result="failed"} 1`}},
		{"rules are closed", func() { s.Rules.Closed.Done = 3 }, []string{`ftpalg_rule_operations_total{op="close",result="ok"} 3`}},
		{"rules are compared", func() { s.Rules.Reconciled.Done = 9 }, []string{`ftpalg_rule_operations_total{op="reconcile",result="ok"} 9`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := ours(answer(m))
			c.happen()
			after := ours(answer(m))
			for _, line := range c.want {
				if before[line] || !after[line] {
					t.Errorf("before %v, after %v: %s", before[line], after[line], line)
				}
			}
			for line := range after {
				if series, _, _ := strings.Cut(line, "} "); !before[line] && !strings.Contains(series, "_bucket{") && !slices.Contains(c.want, line) {
					t.Errorf("unexpected: %s", line)
				}
			}
		})
	}
	if strings.Contains(answer(m), client.Addr().String()) {
		t.Error("an address is a label")
	}
}

// ours returns the series of the gateway with their values.
func ours(text string) map[string]bool {
	lines := map[string]bool{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, namespace+"_") {
			lines[strings.TrimSpace(line)] = true
		}
	}
	return lines
}
