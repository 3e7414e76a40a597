package e2e

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// worker returns the process that serves the sessions.
func (g *gateway) worker(t *testing.T) int {
	t.Helper()
	opener := g.command.Process.Pid
	var all []string
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", opener))
	try(t, err)
	for _, task := range tasks {
		children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", opener, task.Name()))
		try(t, err)
		all = append(all, strings.Fields(string(children))...)
	}
	for _, pid := range all { // an iptables may run beside it
		line, err := os.ReadFile("/proc/" + pid + "/cmdline")
		if err == nil && strings.HasSuffix(string(line), "\x00worker\x00") {
			n, err := strconv.Atoi(pid)
			try(t, err)
			return n
		}
	}
	t.Fatalf("the gateway %d has the children %q, and no worker", opener, all)
	return 0
}

// ofProcess returns a line of /proc/PID/status (proc_pid_status(5)).
func ofProcess(t *testing.T, pid int, name string) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	try(t, err)
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	t.Fatalf("process %d has no %s", pid, name)
	return ""
}

func TestWorkerHasNoPrivilege(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: "[" + firstListener + "]"})
	client := s.connect(t)
	fetch(t, client, s.server.files, ftp.PASV, "pub/file")
	pid := g.worker(t)
	const none = "0000000000000000"
	for name, want := range map[string]string{
		"CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none,
		"NoNewPrivs": "1", "Seccomp": "2", "Name": "ftpalg",
	} {
		if got := ofProcess(t, pid, name); got != want {
			t.Errorf("%s of the worker is %s, want %s", name, got, want)
		}
	}
	for _, name := range []string{"Uid", "Gid"} {
		if ids := ofProcess(t, pid, name); strings.Contains(" "+ids+" ", " 0 ") {
			t.Errorf("%s of the worker is %s", name, ids)
		}
	}
	if groups := ofProcess(t, pid, "Groups"); groups != "" {
		t.Errorf("the worker is in the groups %s", groups)
	}
	try(t, client.Quit())
}

// Whichever of the two processes dies, the other ends too, nothing stays open,
// and the gateway can be started again.
func TestNeitherProcessOutlivesTheOther(t *testing.T) {
	for name, victim := range map[string]func(*testing.T, *gateway) int{
		"worker": func(t *testing.T, g *gateway) int { return g.worker(t) },
		"opener": func(_ *testing.T, g *gateway) int { return g.command.Process.Pid },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, lab.Inbound)
			g := startGateway(t, s.Gateway, settings{listeners: "[" + firstListener + "]"})
			client := s.connect(t)
			_, err := client.Cmd("PASV")
			try(t, err)
			worker := g.worker(t)
			try(t, syscall.Kill(victim(t, g), syscall.SIGKILL))
			if err := g.ends(t); err == nil {
				t.Error("the gateway has ended as if in order")
			}
			within(t, closedTimeout, "the worker has ended", func() error {
				if syscall.Kill(worker, 0) == nil {
					return fmt.Errorf("process %d lives on", worker)
				}
				return nil
			})
			try(t, client.Control().SetDeadline(time.Now().Add(closedTimeout)))
			// A worker that has noticed the end may still say so.
			if r, err := client.Cmd("NOOP"); err == nil && r.Code != 421 {
				t.Errorf("the session goes on: %s", r)
			}
			g.start(t)
			fetch(t, s.connect(t), s.server.files, ftp.PASV, "pub/file")
		})
	}
}
