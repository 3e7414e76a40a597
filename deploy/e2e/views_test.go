package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// seenTimeout is how long what has happened may take until it shows: the kernel's
// count of a data connection comes within half a second of its end, and a busy
// machine takes its time.
const seenTimeout = 20 * time.Second

// get returns what the gateway's admin socket answers.
func (g *gateway) get(path string) (int, string, error) {
	c := http.Client{Timeout: seenTimeout, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", g.socket())
		},
	}}
	res, err := c.Get("http://ftpalg" + path)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// counts waits until the metrics have these lines.
func (g *gateway) counts(t *testing.T, lines ...string) {
	t.Helper()
	within(t, seenTimeout, "the metrics move", func() error {
		_, text, err := g.get("/metrics")
		if err != nil {
			return err
		}
		have := strings.Split(text, "\n")
		for _, l := range lines {
			if !slices.Contains(have, l) {
				return fmt.Errorf("%s is missing", l)
			}
		}
		return nil
	})
}

// events returns the records of an event in the gateway's log, which is JSON.
func (g *gateway) events(t *testing.T, event string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(g.log(t)) {
		var record map[string]any
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatalf("a line of the log is no record: %v: %q", err, line)
		}
		if record["event"] == event {
			all = append(all, record)
		}
	}
	return all
}

// transfers waits until a transfer log has as many lines as that, and returns
// their fields.
func transfers(t *testing.T, file string, lines int) (all [][]string) {
	t.Helper()
	within(t, seenTimeout, "transfers are logged", func() error {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		all = nil
		for line := range strings.Lines(string(text)) {
			all = append(all, strings.Fields(line))
		}
		if len(all) != lines {
			return fmt.Errorf("%s has %d lines, want %d: %q", file, len(all), lines, text)
		}
		return nil
	})
	return all
}

func TestAnOperatorSeesWhatHappened(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	xferlog := filepath.Join(s.dir, "xferlog")
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient, log: "{level: trace, transfers: " + xferlog + "}"})
	try(t, s.Gateway.Command(t.Context(), "sh", "-c", "echo 1 >/proc/sys/net/netfilter/nf_conntrack_acct").Run())
	g.counts(t, "ftpalg_ready 1", `ftpalg_sessions_total{outcome="closed"} 0`, "ftpalg_config_last_reload_successful 1")

	c := s.connect(t)
	says(t, c, "PASS another@example.net", 230)
	fetch(t, c, s.server.files, ftp.PASV, "pub/file")
	g.counts(t, "ftpalg_sessions_active 1", `ftpalg_transfers_total{direction="download",mode="pasv"} 1`)
	try(t, c.Quit())
	g.counts(t, "ftpalg_sessions_active 0", `ftpalg_sessions_total{outcome="closed"} 1`, `ftpalg_rewrites_total{result="replaced",verb="pasv"} 1`,
		`ftpalg_expectations_total{mode="pasv",outcome="used"} 1`, `ftpalg_rule_operations_total{op="open",result="ok"} 1`, "ftpalg_pinhole_open_seconds_count 1")

	f := transfers(t, xferlog, 1)[0]
	if size, err := strconv.Atoi(f[7]); err != nil || size < fileSize {
		t.Errorf("the file has %d bytes and more, the transfer log says %s", fileSize, f[7])
	}
	if len(f) != 18 || f[6] != "203.0.113.10" || f[8] != "pub/file" || f[9] != "b" || f[11] != "o" || f[12] != "a" || f[13] != "anonymous" || f[17] != "c" {
		t.Errorf("the transfer log says %q", f)
	}
	within(t, seenTimeout, "the session is recorded", func() error {
		end := g.events(t, "session_end")
		if len(end) != 1 || fmt.Sprint(end[0]["modes"]) != "[PASV]" || end[0]["transfers"] != 1.0 || end[0]["user"] != "anonymous" || end[0]["outcome"] != "closed" {
			return fmt.Errorf("%v", end)
		}
		return nil
	})
	if log := g.log(t); !strings.Contains(log, `"text":"PASS ****"`) || strings.Contains(log, "another@example.net") {
		t.Error("the trace lacks the password's stars, or has the password")
	}
}

func TestTheTransferLogIsOpenedAnewOnASignal(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	xferlog := filepath.Join(s.dir, "xferlog")
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient, log: "{transfers: " + xferlog + "}"})
	c := s.connect(t)
	fetch(t, c, s.server.files, ftp.PASV, "pub/file")
	transfers(t, xferlog, 1)
	try(t, os.Rename(xferlog, xferlog+".1"))
	g.signal(t, syscall.SIGUSR1)
	within(t, seenTimeout, "the log says so", func() error {
		if len(g.events(t, "reopened")) == 0 {
			return fmt.Errorf("it does not")
		}
		return nil
	})
	fetch(t, c, s.server.files, ftp.PORT, "pub/file")
	transfers(t, xferlog, 1)
	transfers(t, xferlog+".1", 1)
}

func TestADrainingGatewayIsNotReady(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	if status, text, err := g.get("/readyz"); status != http.StatusOK || err != nil {
		t.Errorf("at first: %d %q %v", status, text, err)
	}
	c := s.connect(t)
	data, err := c.Open(ftp.PASV, "RETR pub/big")
	try(t, err)
	g.signal(t, syscall.SIGTERM)
	within(t, seenTimeout, "it says that it is stopping", func() error {
		status, text, err := g.get("/readyz")
		if status != http.StatusServiceUnavailable || !strings.Contains(text, "stopping") {
			return fmt.Errorf("%d %q %v", status, text, err)
		}
		return nil
	})
	if status, _, err := g.get("/healthz"); status != http.StatusOK || err != nil {
		t.Errorf("it is alive, and says %d, %v", status, err)
	}
	_, err = io.Copy(io.Discard, data)
	try(t, err)
	try(t, data.Finish())
	if err := g.ends(t); err != nil {
		t.Error(err)
	}
}
