package main

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limit ends a command that hangs.
const limit = 90 * time.Second

func TestACommandThatIsBrokenOffLeavesNothing(t *testing.T) {
	needHosts(t)
	tests := []struct {
		name  string
		cause string
		end   func(t *testing.T, cmd *exec.Cmd, out io.Closer)
	}{
		{"by Ctrl-C", "interrupt signal", func(t *testing.T, cmd *exec.Cmd, _ io.Closer) {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}},
		{"by a reader that goes away", "broken pipe signal", func(t *testing.T, _ *exec.Cmd, out io.Closer) {
			if err := out.Close(); err != nil {
				t.Fatal(err)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cmd := demoCommand(t)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			hang := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
			defer hang.Stop()
			readUntil(t, out, "PASV, download")
			if len(hostsOf(t, cmd.Process.Pid)) == 0 {
				t.Error("there are no hosts in the middle of the story")
			}
			tt.end(t, cmd, out)
			_, _ = io.Copy(io.Discard, out) // to the end, or closed already
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != 1 || !strings.Contains(stderr.String(), tt.cause) {
				t.Errorf("exit status %d, standard error %q; want 1 and %q", got, stderr.String(), tt.cause)
			}
			if left := hostsOf(t, cmd.Process.Pid); len(left) > 0 {
				t.Errorf("hosts are left: %v", left)
			}
		})
	}
}

func readUntil(t *testing.T, r io.Reader, text string) {
	t.Helper()
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("%q never came: %v", text, err)
		}
		if strings.Contains(line, "\x1b") {
			t.Errorf("colour in a pipe: %q", line)
		}
		if strings.Contains(line, text) {
			return
		}
	}
}

func TestWithoutRootTheCommandSaysWhatItNeeds(t *testing.T) {
	cmd := demoCommand(t)
	cmd.Dir = "/"
	if os.Geteuid() == 0 {
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, _ := cmd.CombinedOutput()
	if got := cmd.ProcessState.ExitCode(); got != 1 {
		t.Errorf("exit status %d, want 1", got)
	}
	text := string(out)
	if !strings.Contains(text, "need root") || !strings.HasSuffix(text, "; try: sudo make demo\n") || strings.Count(text, "\n") != 1 {
		t.Errorf("it said %q", text)
	}
}

func TestMissingToolsAreNamedWithTheirPackages(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	const want = "the demo needs what is not in PATH: iptables, iptables-save, iptables-restore, ip6tables, ip6tables-save, ip6tables-restore, ip; " +
		"try: apt-get install iptables iproute2"
	if err := checkTools(); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
