package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/alg/capture/capturetest"
	"ftpalg/cmd/internal/cli"
)

// runLine executes a command line and returns what it says.
func runLine(args ...string) (stdout, stderr string, status int) {
	var out, errs bytes.Buffer
	status = cli.Execute(newCommand(), args, &out, &errs)
	return out.String(), errs.String(), status
}

// recording writes a capture with one session, cut short by some bytes.
func recording(t *testing.T, short int) string {
	t.Helper()
	tape := capturetest.NewTape()
	c := tape.Conn("203.0.113.9:40001", "203.0.113.1:21").Open()
	c.ServerSays("220 ready\r\n")
	c.ClientSays("USER anna\r\n")
	c.ServerSays("331 password\r\n")
	c.ClientSays("EPSV\r\n")
	c.ServerSays("229 here (|||40001|)\r\n")
	c.ClientSays("QUIT\r\n")
	file := capturetest.Pcap(tape.Packets, capturetest.Ethernet, 0)
	path := filepath.Join(t.TempDir(), "session.pcap")
	if err := os.WriteFile(path, file[:len(file)-short], 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInspect(t *testing.T) {
	whole, short := recording(t, 0), recording(t, 9)
	broken := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(broken, []byte("not a capture"), 0o600); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "gw.yaml")
	if err := os.WriteFile(config, []byte("listeners: [{name: legacy, listen: 203.0.113.1:21, server: 198.18.1.20:21}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		args   []string
		status int
		out    string // in the output
		err    string // in the error output
	}{
		"words":         {[]string{whole}, cli.ExitOK, "frame 8      EPSV  203.0.113.1:40001", ""},
		"JSON":          {[]string{"--json", whole}, cli.ExitOK, `{"session":1,"frame":8,"kind":"EPSV","address":"203.0.113.1","port":40001`, ""},
		"configuration": {[]string{"-c", config, whole}, cli.ExitOK, "ftpalg (legacy) would have told the client 203.0.113.1, a port of 50000-50999.", ""},
		"cut short":     {[]string{short}, cli.ExitFailed, "frame 8 ", "packet 9, at byte"},
		"no capture":    {[]string{broken}, cli.ExitFailed, "", "neither pcap nor pcapng"},
		"no file":       {[]string{broken + "s"}, cli.ExitFailed, "", "no such file"},
		"no argument":   {nil, cli.ExitMisused, "", "name one capture file"},
		"two sources":   {[]string{"--live", "lo", whole}, cli.ExitMisused, "", "name one capture file"},
		"no interface":  {[]string{"--live", "nonesuch"}, cli.ExitFailed, "", "nonesuch"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			out, errs, status := runLine(test.args...)
			if status != test.status || !strings.Contains(out, test.out) || !strings.Contains(errs, test.err) {
				t.Errorf("status %d, output %q, errors %q", status, out, errs)
			}
			if test.err == "" && errs != "" {
				t.Errorf("it complains: %q", errs)
			}
		})
	}
}

func TestInspectReadsStandardInput(t *testing.T) {
	file, err := os.ReadFile(recording(t, 0))
	if err != nil {
		t.Fatal(err)
	}
	root := newCommand()
	var out bytes.Buffer
	root.SetArgs([]string{"--json", "-"})
	root.SetIn(bytes.NewReader(capturetest.Gzip(file)))
	root.SetOut(&out)
	if err := root.Execute(); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%q, %v", out.String(), err)
	}
}
