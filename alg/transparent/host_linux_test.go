package transparent

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// host is a network namespace without a name: it ends with the process at the
// latest, however that ends.
type host struct {
	t  *testing.T
	ns *os.File
}

// newHost makes a host whose loopback interface is up.
func newHost(t *testing.T) *host {
	t.Helper()
	needRoot(t)
	h := &host{t: t}
	h.must(onThread(func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			h.ns, err = os.Open("/proc/thread-self/ns/net")
		}
		return err
	}))
	t.Cleanup(func() { h.ns.Close() })
	h.run(`
		ip link set lo up
		sysctl -qw net.ipv6.conf.default.accept_dad=0`)
	return h
}

// needRoot skips the test without the rights and tools it needs, or fails it
// where the end-to-end tests are demanded.
func needRoot(t *testing.T) {
	t.Helper()
	var missing []string
	if os.Geteuid() != 0 {
		missing = append(missing, "root")
	}
	for _, tool := range []string{"ip", "iptables", "ip6tables", "sysctl"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = append(missing, tool)
		}
	}
	switch {
	case missing == nil:
	case os.Getenv("FTPALG_E2E") == "1":
		t.Fatalf("needs %s", strings.Join(missing, ", "))
	default:
		t.Skipf("needs %s", strings.Join(missing, ", "))
	}
}

// onThread runs f on a thread of its own, which ends afterwards, because f
// changes what belongs to a thread.
func onThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the runtime ends the thread
		done <- f()
	}()
	return <-done
}

// do runs f in the namespace.
func (h *host) do(f func() error) error {
	return onThread(func() error {
		if err := unix.Setns(int(h.ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter namespace: %w", err)
		}
		return f()
	})
}

// run runs commands in the namespace, one a line.
func (h *host) run(commands string) {
	h.t.Helper()
	for line := range strings.Lines(commands) {
		args := strings.Fields(line)
		if len(args) == 0 {
			continue
		}
		h.must(h.do(func() error {
			if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
				return fmt.Errorf("%s: %w\n%s", strings.TrimSpace(line), err, out)
			}
			return nil
		}))
	}
}

// wire joins two hosts by a cable whose ends are named a and b.
func (h *host) wire(end string, other *host, otherEnd string) {
	h.t.Helper()
	h.must(h.do(func() error {
		add := exec.Command("ip", "link", "add", end, "type", "veth", "peer", "name", otherEnd, "netns", "/proc/self/fd/3")
		add.ExtraFiles = []*os.File{other.ns}
		if out, err := add.CombinedOutput(); err != nil {
			return fmt.Errorf("add cable %s-%s: %w\n%s", end, otherEnd, err, out)
		}
		return nil
	}))
	h.run("ip link set " + end + " up")
	other.run("ip link set " + otherEnd + " up")
}

func (h *host) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}
