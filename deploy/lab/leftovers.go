package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// removeLeftovers removes the hosts, with their processes, of every network
// under prefix whose owner no longer lives.
func removeLeftovers(prefix string) error {
	entries, err := os.ReadDir(namedDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for leftover hosts: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		if owner, ok := ownerOf(entry.Name(), prefix); ok && !alive(owner) {
			errs = append(errs, removeLeftover(entry.Name()))
		}
	}
	return errors.Join(errs...)
}

func removeLeftover(name string) error {
	handle, err := netns.GetFromName(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another run removed it at the same time
	}
	if err != nil {
		return fmt.Errorf("leftover host %s: %w", name, err)
	}
	return errors.Join(killProcesses([]netns.NsHandle{handle}), handle.Close(), removeNamespace(name))
}

// ownerOf reads the process number out of a host's name, prefix-PID-RANDOM-HOST.
func ownerOf(name, prefix string) (pid int, ok bool) {
	rest, ok := strings.CutPrefix(name, prefix+"-")
	if !ok {
		return 0, false
	}
	parts := strings.SplitN(rest, "-", 3)
	if len(parts) != 3 || len(parts[1]) != 6 {
		return 0, false
	}
	pid, err := strconv.Atoi(parts[0])
	return pid, err == nil && pid > 0
}

// alive reports whether a process exists; one that we may not signal does.
func alive(pid int) bool {
	return !errors.Is(unix.Kill(pid, 0), unix.ESRCH)
}
