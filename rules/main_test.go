package rules

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// inNamespace is set in the environment of a test process that has a network
// namespace of its own.
const inNamespace = "FTPALG_TEST_NAMESPACE"

// mostAtOnce is how many passages are tried at once: they wait more than they
// compute.
const mostAtOnce = "8"

// TestMain moves the whole test process into a fresh network namespace, so
// that no test can reach the machine's own packet filter. The namespace ends
// with the process.
func TestMain(m *testing.M) {
	if os.Geteuid() == 0 && os.Getenv(inNamespace) == "" {
		os.Exit(runInNamespace())
	}
	flag.Parse()
	if err := flag.Set("test.parallel", mostAtOnce); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func runInNamespace() int {
	dir, err := os.MkdirTemp("", "ftpalg-rules-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command(os.Args[0], os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inNamespace+"=1", "XTABLES_LOCKFILE="+filepath.Join(dir, "lock"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1)
	case err != nil:
		fmt.Fprintln(os.Stderr, "a network namespace for the tests:", err)
		return 1
	default:
		return 0
	}
}
