package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/alg/capture/capturetest"
)

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
	config := write(t, goodConfig)
	tests := map[string]struct {
		args   []string
		status int
		out    string // in the output
		err    string // in the error output
	}{
		"words":         {[]string{whole}, exitOK, "frame 8      EPSV  203.0.113.1:40001", ""},
		"JSON":          {[]string{"--json", whole}, exitOK, `{"session":1,"frame":8,"kind":"EPSV","address":"203.0.113.1","port":40001`, ""},
		"configuration": {[]string{"-c", config, whole}, exitOK, "ftpalg (legacy) would have told the client 203.0.113.1, a port of 50000-50999.", ""},
		"cut short":     {[]string{short}, exitFailed, "frame 8 ", "packet 9, at byte"},
		"no capture":    {[]string{broken}, exitFailed, "", "neither pcap nor pcapng"},
		"no file":       {[]string{broken + "s"}, exitFailed, "", "no such file"},
		"no argument":   {nil, exitMisused, "", "name one capture file"},
		"two sources":   {[]string{"--live", "lo", whole}, exitMisused, "", "name one capture file"},
		"no interface":  {[]string{"--live", "nonesuch"}, exitFailed, "", "nonesuch"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			out, errs, status := runLine(t, append([]string{"inspect"}, test.args...)...)
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
	root := newRoot()
	var out bytes.Buffer
	root.SetArgs([]string{"inspect", "--json", "-"})
	root.SetIn(bytes.NewReader(capturetest.Gzip(file)))
	root.SetOut(&out)
	if err := root.Execute(); err != nil || strings.Count(out.String(), "\n") != 1 {
		t.Errorf("%q, %v", out.String(), err)
	}
}
