package lab_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/labtest"
)

func TestCloseEndsProcessesAndRemovesHosts(t *testing.T) {
	n := labtest.Network(t)
	h := host(t, n, "one")
	command := h.Command(t.Context(), "sleep", "1000")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	daemon := startDaemon(t, h)
	for _, pid := range []int{command.Process.Pid, daemon} {
		if !running(pid) {
			t.Fatalf("process %d does not run before Close", pid)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{command.Process.Pid, daemon} {
		if running(pid) {
			t.Errorf("process %d runs after Close", pid)
		}
	}
	checkNoHosts(t, h)
}

func TestCloseIsFinal(t *testing.T) {
	n := labtest.Network(t)
	h := host(t, n, "one")
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	_, again := n.Host("two")
	calls := map[string]error{
		"Host":  again,
		"Do":    h.Do(func() error { return nil }),
		"Start": h.Command(t.Context(), "true").Start(),
		"Wire":  n.Wire(h, "a", "192.0.2.1/24", h, "b", "192.0.2.2/24"),
	}
	for call, err := range calls {
		if !errors.Is(err, lab.ErrClosed) {
			t.Errorf("%s after Close: %v, want %v", call, err, lab.ErrClosed)
		}
	}
	if err := n.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestHostsGoWhenTheContextEnds(t *testing.T) {
	labtest.Network(t) // skips where there are no hosts
	ctx, cancel := context.WithCancel(t.Context())
	n, err := lab.New(ctx, "ftpalg-context")
	if err != nil {
		t.Fatal(err)
	}
	h := host(t, n, "one")
	cancel()
	if err := n.Close(); err != nil { // waits for the closing that has begun
		t.Error(err)
	}
	checkNoHosts(t, h)
}

func TestPanicOnAHostReachesTheCaller(t *testing.T) {
	n := labtest.Network(t)
	h := host(t, n, "one")
	defer func() {
		if v := recover(); v == nil || !strings.Contains(fmt.Sprint(v), "on the host") {
			t.Errorf("recovered %v, want the host's panic", v)
		}
		if err := n.Close(); err != nil {
			t.Error(err)
		}
		checkNoHosts(t, h)
	}()
	_ = h.Do(func() error { panic("on the host") })
}

func TestThreadsComeBackFromAHost(t *testing.T) {
	n := labtest.Network(t)
	h := host(t, n, "one")
	for range 100 {
		func() {
			defer func() { _ = recover() }() // a thread that panicked must not come back at all
			_ = h.Do(func() error { panic("on the host") })
		}()
		if err := h.Do(func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error {
		threads, err := filepath.Glob("/proc/self/task/*/ns/net")
		if err != nil {
			return err
		}
		for _, thread := range threads {
			if ns, err := os.Readlink(thread); err == nil && ns != ours {
				return fmt.Errorf("thread %s is in %s, not in %s", thread, ns, ours)
			}
		}
		return nil
	})
}

// leftoverPrefix is used by one test alone: were the removal wrong, no other
// run would suffer.
const leftoverPrefix = "ftpalg-leftover"

func TestNewRemovesWhatADeadOwnerLeft(t *testing.T) {
	labtest.Network(t) // skips where there are no hosts
	living := host(t, network(t, leftoverPrefix), "one")
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	leftover := fmt.Sprintf(leftoverPrefix+"-%d-abcdef-one", dead.Process.Pid)
	foreign := fmt.Sprintf("ftpalg-foreign-%d-abcdef-one", dead.Process.Pid)
	for _, name := range []string{leftover, foreign} {
		ip(t, "netns", "add", name)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "delete", name).Run() })
	}
	orphan := exec.Command("ip", "netns", "exec", leftover, "sleep", "1000")
	if err := orphan.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = orphan.Process.Kill(), orphan.Wait() })
	eventually(t, func() error { return inNamespace(orphan.Process.Pid, leftover) })

	network(t, leftoverPrefix)
	if running(orphan.Process.Pid) {
		t.Error("the leftover host's process still runs")
	}
	if named(leftover) {
		t.Errorf("%s is still there", leftover)
	}
	if !named(foreign) {
		t.Errorf("%s, of another prefix, is gone", foreign)
	}
	if !named(living.Namespace()) {
		t.Error("the host of a living owner is gone")
	}
}

func TestNamesAreChecked(t *testing.T) {
	for _, prefix := range []string{"", "Up", "a/b", "../x", "-a", "a-", "a b"} {
		if _, err := lab.New(t.Context(), prefix); err == nil {
			t.Errorf("prefix %q was accepted", prefix)
		}
	}
	n := labtest.Network(t)
	host(t, n, "one")
	for _, name := range []string{"", "one", "a/b", "a."} {
		if _, err := n.Host(name); err == nil {
			t.Errorf("host name %q was accepted", name)
		}
	}
}

func network(t *testing.T, prefix string) *lab.Network {
	t.Helper()
	n, err := lab.New(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func host(t *testing.T, n *lab.Network, name string) *lab.Host {
	t.Helper()
	h, err := n.Host(name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// startDaemon starts a process that leaves its process group and its parent,
// as daemons do, and returns its number.
func startDaemon(t *testing.T, h *lab.Host) int {
	t.Helper()
	out, err := h.Command(t.Context(), "sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 & echo $!").Output()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() error { return inNamespace(pid, h.Namespace()) })
	return pid
}

// running reports whether a process exists and is no zombie.
func running(pid int) bool {
	_, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	return err == nil
}

// inNamespace returns an error unless the process is in the named namespace.
func inNamespace(pid int, name string) error {
	var process, namespace syscall.Stat_t
	if err := syscall.Stat(fmt.Sprintf("/proc/%d/ns/net", pid), &process); err != nil {
		return err
	}
	if err := syscall.Stat(filepath.Join("/run/netns", name), &namespace); err != nil {
		return err
	}
	if process.Ino != namespace.Ino {
		return fmt.Errorf("process %d is not in %s", pid, name)
	}
	return nil
}

func checkNoHosts(t *testing.T, hosts ...*lab.Host) {
	t.Helper()
	for _, h := range hosts {
		if named(h.Namespace()) {
			t.Errorf("host %s is still there", h.Namespace())
		}
	}
}

func named(namespace string) bool {
	_, err := os.Stat(filepath.Join("/run/netns", namespace))
	return err == nil
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// eventually waits until check returns nil.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	err := check()
	for ; err != nil && time.Now().Before(deadline); err = check() {
		time.Sleep(5 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
}
