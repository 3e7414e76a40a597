package bench

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// looks is how often memory is measured. The least counts: a tool that runs
// for a moment is not what the sessions occupy.
const looks = 5

// resident returns the resident memory of the processes on the gateway in
// bytes, each shared page counted in parts (Pss in proc_pid_smaps(5)), so that
// for a single process it is VmRSS; 0 if there is no process.
func (st *stand) resident() (least int64, err error) {
	for look := range looks {
		n, err := st.residentNow()
		if err != nil {
			return 0, err
		}
		if look == 0 || n < least {
			least = n
		}
		time.Sleep(20 * time.Millisecond)
	}
	return least, nil
}

func (st *stand) residentNow() (int64, error) {
	var home unix.Stat_t
	if err := unix.Stat(filepath.Join("/run/netns", st.Gateway.Namespace()), &home); err != nil {
		return 0, fmt.Errorf("identify gateway: %w", err)
	}
	namespaces, err := filepath.Glob("/proc/[0-9]*/ns/net")
	if err != nil {
		return 0, err
	}
	var total int64
	for _, path := range namespaces {
		var ns unix.Stat_t
		if unix.Stat(path, &ns) != nil || ns.Ino != home.Ino || ns.Dev != home.Dev {
			continue // gone, or elsewhere
		}
		n, err := proportional(filepath.Dir(filepath.Dir(path)))
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// proportional returns the Pss of a process; 0 if it has just ended.
func proportional(process string) (int64, error) {
	text, err := os.ReadFile(filepath.Join(process, "smaps_rollup"))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("measure memory: %w", err)
	}
	for line := range bytes.Lines(text) {
		if value, found := bytes.CutPrefix(line, []byte("Pss:")); found {
			kib, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))), 10, 64)
			return kib << 10, err
		}
	}
	return 0, nil
}
