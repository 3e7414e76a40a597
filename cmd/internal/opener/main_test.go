package opener

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// inNamespace is set in the environment of a test process that has a network
// namespace of its own.
const inNamespace = "FTPALG_TEST_NAMESPACE"

// TestMain moves the test process into a fresh network namespace, which ends
// with it. Started as a worker, it plays one that was taken over.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) == 2 && os.Args[1] == WorkerCommand:
		os.Exit(playTakenOver())
	case os.Geteuid() == 0 && os.Getenv(inNamespace) == "":
		os.Exit(runInNamespace())
	}
	goleak.VerifyTestMain(m)
}

func runInNamespace() int {
	dir, err := os.MkdirTemp("", "ftpalg-opener-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inNamespace+"=1", "XTABLES_LOCKFILE="+filepath.Join(dir, "lock"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}
