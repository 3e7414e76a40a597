package labtest_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab/labtest"
)

// role tells a child process, which is this test binary again, what to do.
const role = "FTPALG_LABTEST_ROLE"

// nobody is a user without privileges.
const nobody = 65534

func TestWithoutPrivilegesTheTestIsSkippedOrFails(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give privileges up")
	}
	binary := publicCopy(t)
	for required, want := range map[string][]string{"0": {"--- SKIP", "set FTPALG_E2E=1"}, "1": {"--- FAIL", "test hosts need root"}} {
		child := exec.Command(binary, "-test.v", "-test.run=^TestChild$")
		child.Dir = "/"
		child.Env = append(os.Environ(), role+"=build", "FTPALG_E2E="+required)
		child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		out, _ := child.CombinedOutput() // its status follows from what it printed
		for _, text := range want {
			if !strings.Contains(string(out), text) {
				t.Errorf("FTPALG_E2E=%s: want %q, got\n%s", required, text, out)
			}
		}
	}
}

func TestPanicInATestLeavesNoHosts(t *testing.T) {
	labtest.Network(t) // skips unless it is asked for
	child := exec.Command("/proc/self/exe", "-test.v", "-test.run=^TestChild$")
	child.Env = append(os.Environ(), role+"=panic")
	out, err := child.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "panic in between") {
		t.Fatalf("the child did not panic: %v\n%s", err, out)
	}
	hosts, err := filepath.Glob(fmt.Sprintf("/run/netns/ftpalg-test-%d-*", child.Process.Pid))
	if err != nil || len(hosts) > 0 {
		t.Errorf("left over: %v, %v", hosts, err)
	}
	pid := sleeper(t, out)
	if err := syscall.Kill(pid, 0); err == nil {
		t.Errorf("process %d lives on", pid)
	}
}

func TestProcessesOnHostsEndWithAKilledTest(t *testing.T) {
	labtest.Network(t) // skips unless it is asked for
	child := exec.Command("/proc/self/exe", "-test.v", "-test.run=^TestChild$")
	child.Env = append(os.Environ(), role+"=die")
	defer labtest.Network(t)         // which removes the child's host
	out, _ := child.CombinedOutput() // it was killed
	pid := sleeper(t, out)
	const patience, pause = 30 * time.Second, 10 * time.Millisecond
	for range patience / pause {
		if syscall.Kill(pid, 0) != nil {
			return
		}
		time.Sleep(pause)
	}
	t.Errorf("process %d lives on", pid)
}

// sleeper reads what TestChild printed of the process that it started.
func sleeper(t *testing.T, out []byte) (pid int) {
	t.Helper()
	_, after, _ := strings.Cut(string(out), "sleeper ")
	if _, err := fmt.Sscan(after, &pid); err != nil {
		t.Fatalf("no process number in %s", out)
	}
	return pid
}

// TestChild is what the child processes of the other tests run.
func TestChild(t *testing.T) {
	if os.Getenv(role) == "" {
		t.Skip("runs as a child of other tests only")
	}
	h, err := labtest.Network(t).Host("one")
	if err != nil {
		t.Fatal(err)
	}
	sleep := h.Command(t.Context(), "sleep", "1000")
	if err := sleep.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Println("sleeper", sleep.Process.Pid)
	if os.Getenv(role) == "die" {
		t.Fatal(syscall.Kill(os.Getpid(), syscall.SIGKILL))
	}
	_ = h.Do(func() error { panic("panic in between") })
}

// publicCopy returns a copy of this test binary where everybody can run it.
func publicCopy(t *testing.T) string {
	t.Helper()
	source, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	dir, err := os.MkdirTemp("/tmp", "ftpalg-labtest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	target, err := os.OpenFile(filepath.Join(dir, "labtest.test"), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(target, source); err != nil {
		t.Fatal(err)
	}
	if err := target.Close(); err != nil {
		t.Fatal(err)
	}
	return target.Name()
}
