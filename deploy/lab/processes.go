package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// killTimeout is how long killed processes may take to disappear. A process
// in uninterruptible sleep is the only one that takes longer than moments.
const killTimeout = 10 * time.Second

// inode identifies a namespace: two handles mean the same one if and only if
// device and number agree (namespaces(7)).
type inode struct{ device, number uint64 }

// killProcesses sends SIGKILL to every process in the namespaces, to those
// also that left their process group, until none is left.
func killProcesses(handles []netns.NsHandle) error {
	wanted := make(map[inode]bool, len(handles))
	for _, handle := range handles {
		var st unix.Stat_t
		if err := unix.Fstat(int(handle), &st); err != nil {
			return fmt.Errorf("identify namespace: %w", err)
		}
		wanted[inode{st.Dev, st.Ino}] = true
	}
	deadline := time.Now().Add(killTimeout)
	for {
		pids, err := processesIn(wanted)
		if err != nil || len(pids) == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("processes %v survive SIGKILL", pids)
		}
		if err := killAll(pids); err != nil {
			return err
		}
		time.Sleep(2 * time.Millisecond)
	}
}

func killAll(pids []int) error {
	for _, pid := range pids {
		if err := unix.Kill(pid, unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("kill process %d: %w", pid, err)
		}
	}
	return nil
}

// processesIn lists the processes whose network namespace is one of wanted.
// A zombie has none any more and is not listed. Neither are we ourselves,
// although our main thread may be on a visit there (Host.Do).
func processesIn(wanted map[inode]bool) ([]int, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	var pids []int
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		var st unix.Stat_t
		if unix.Stat(filepath.Join("/proc", entry.Name(), "ns/net"), &st) == nil && wanted[inode{st.Dev, st.Ino}] {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}
