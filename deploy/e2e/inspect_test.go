package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// inspected is one line of `ftpalg inspect --json`.
type inspected struct {
	Session uint64 `json:"session"`
	Frame   uint64 `json:"frame"`
	Kind    string `json:"kind"`
	Reason  string `json:"reason"`
	Server  string `json:"server"`
	Data    *struct {
		State    string `json:"state"`
		Sent     int64  `json:"sent"`
		Received int64  `json:"received"`
	} `json:"data"`
}

// recordedLength is how much is recorded of a packet, in bytes: with whole ones
// of 64 KB tcpdump's buffer holds too few of them.
const recordedLength = "2000"

// recordPackets records on a host until the function it returns is called.
func recordPackets(t *testing.T, host *lab.Host, args ...string) (file string, stop func()) {
	t.Helper()
	need(t, "tcpdump")
	file = filepath.Join(publicDir(t), "packets")
	c := start(t, host, "tcpdump", append([]string{"-U", "--immediate-mode", "-s", recordedLength, "-B", "16384", "-w", file}, args...)...)
	within(t, waitTimeout, "tcpdump writes", func() error {
		info, err := os.Stat(file)
		if err == nil && info.Size() == 0 {
			err = fmt.Errorf("%s is empty", file)
		}
		return err
	})
	return file, func() {
		standsStill(t, file)
		try(t, c.Process.Signal(syscall.SIGINT))
		if err := c.Wait(); err != nil {
			t.Logf("tcpdump: %v", err)
		}
	}
}

// standsStill waits until a file no longer grows.
func standsStill(t *testing.T, file string) {
	t.Helper()
	size := int64(-1)
	within(t, waitTimeout, file+" stands still", func() error {
		info, err := os.Stat(file)
		if err != nil || info.Size() == size {
			return err
		}
		size = info.Size()
		time.Sleep(settleTime)
		return fmt.Errorf("it has grown to %d bytes", size)
	})
}

// settleTime is how long the kernel may take to hand the last packets over.
const settleTime = time.Second

// inspectFile runs `ftpalg inspect`, in words and as JSON.
func inspectFile(t *testing.T, host *lab.Host, args ...string) (words string, records []inspected) {
	t.Helper()
	words, err := run(t, host, os.Getenv(binaryVariable), append([]string{"inspect"}, args...)...)
	try(t, err)
	text, err := run(t, host, os.Getenv(binaryVariable), append([]string{"inspect", "--json"}, args...)...)
	try(t, err)
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var r inspected
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		records = append(records, r)
	}
	return words, records
}

// The gateway's host sees each session twice, as the client's and as the
// server's, and each of its data connections on both sides.
func TestInspectSeesWhatTheGatewayDoes(t *testing.T) {
	for name, args := range map[string][]string{"any": {"-i", "any"}, "any, SLL": {"-i", "any", "-y", "LINUX_SLL"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			need(t, "curl")
			s := newScene(t, lab.Inbound)
			startGateway(t, s.Gateway, settings{listeners: frontingClient})
			file, stop := recordPackets(t, s.Gateway, append(args, "tcp")...)
			for _, m := range allModes() {
				if _, err := s.curl(t, m, s.url("pub/file"), "-o", os.DevNull); err != nil {
					t.Fatal(err)
				}
			}
			stop()
			info, err := os.Stat(s.server.files.name("pub/file"))
			try(t, err)
			words, records := inspectFile(t, s.Gateway, file)
			seen := make(map[string]int)
			for _, r := range records {
				seen[r.Kind]++
				if r.Reason != "" || r.Data == nil || r.Data.State != "complete" || r.Data.Sent+r.Data.Received != info.Size() {
					t.Errorf("session %d at %s, frame %d, %s: reason %q, data %+v, want %d bytes", r.Session, r.Server, r.Frame, r.Kind, r.Reason, r.Data, info.Size())
				}
			}
			for _, m := range allModes() {
				if seen[string(m)] != 2 {
					t.Errorf("%s was found %d times, not once on each side\n%s", m, seen[string(m)], words)
				}
			}
			if t.Failed() {
				t.Log(words)
			}
		})
	}
}

// What nobody opens: the server is behind a NAT that leaves its announcement
// alone.
func TestInspectNamesADroppedDataConnection(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	s := newScene(t, lab.Inbound)
	for _, rule := range []string{
		"-t nat -A PREROUTING -p tcp -d " + s.Contact.String() + " --dport 21 -j DNAT --to-destination " + s.Own.String(),
		"-A FORWARD -p tcp -d " + s.Own.String() + " --dport 21 -j ACCEPT",
	} {
		_, err := s.Gateway.Iptables(strings.Fields(rule)...)
		try(t, err)
	}
	file, stop := recordPackets(t, s.Client, "tcp")
	if _, err := s.curl(t, ftp.PASV, "-m", "6", s.url("pub/file"), "-o", os.DevNull); err == nil {
		t.Error("the transfer came through a closed firewall")
	}
	stop()
	words, records := inspectFile(t, s.Client, file)
	if len(records) != 1 || records[0].Kind != "PASV" || records[0].Data == nil || records[0].Data.State != "unanswered" {
		t.Errorf("found %+v\n%s", records, words)
	}
	for _, want := range []string{s.Own.String() + " is not the address of the server here", "and got no answer"} {
		if !strings.Contains(words, want) {
			t.Errorf("it does not say %q:\n%s", want, words)
		}
	}
}

// A running interface is inspected until somebody interrupts it.
func TestInspectLive(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	s := newScene(t, lab.Inbound)
	startGateway(t, s.Gateway, settings{listeners: frontingClient})
	out, err := os.Create(filepath.Join(s.dir, "out"))
	try(t, err)
	defer out.Close()
	c := s.Gateway.Command(context.WithoutCancel(t.Context()), os.Getenv(binaryVariable), "inspect", "--live", "lan", "--json")
	c.Stdout, c.Stderr = out, out
	try(t, c.Start())
	within(t, waitTimeout, "a packet socket is open", func() error {
		text, err := s.Gateway.Command(t.Context(), "ss", "-H", "-0", "-p").Output()
		if err == nil && !strings.Contains(string(text), "ftpalg") {
			err = fmt.Errorf("only %q", text)
		}
		return err
	})
	for _, m := range allModes() {
		if _, err := s.curl(t, m, s.url("pub/file"), "-o", os.DevNull); err != nil {
			t.Error(err)
		}
	}
	said := func() string {
		text, err := os.ReadFile(out.Name())
		try(t, err)
		return string(text)
	}
	within(t, waitTimeout, "all sessions have been seen", func() error {
		if n := strings.Count(said(), "\n"); n < len(allModes()) {
			return fmt.Errorf("%d lines", n)
		}
		return nil
	})
	try(t, c.Process.Signal(os.Interrupt))
	try(t, c.Wait())
	for _, m := range allModes() {
		if n := strings.Count(said(), `"kind":"`+string(m)+`"`); n != 1 {
			t.Errorf("%s was seen %d times", m, n)
		}
	}
	if t.Failed() {
		t.Log(said())
	}
}
