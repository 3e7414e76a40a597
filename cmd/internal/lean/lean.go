// Package lean gives back memory that only the start of a program needed.
package lean

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// ForgetStart has the kernel drop the free heap and the pages of the program's
// own file that the start has touched. Initialising every package reads much
// of a program that a long-running command never comes to again; what it does
// come to is read again from the page cache. Only pages that cannot have been
// written to are dropped (madvise(2), MADV_DONTNEED).
func ForgetStart() error {
	debug.FreeOSMemory()
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find our own program: %w", err)
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return fmt.Errorf("list our memory: %w", err)
	}
	defer maps.Close()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		if start, end, ok := readOnly(lines.Text(), program); ok {
			if err := drop(start, end); err != nil {
				return fmt.Errorf("drop pages %x-%x of %s: %w", start, end, program, err)
			}
		}
	}
	return nil
}

// readOnly reads a line of proc_pid_maps(5) and reports whether it is a part
// of the program that nobody may write to.
func readOnly(line, program string) (start, end uintptr, ok bool) {
	var rights, offset, device string
	var inode uint64
	if !strings.HasSuffix(line, " "+program) {
		return 0, 0, false
	}
	n, err := fmt.Sscanf(line, "%x-%x %s %s %s %d", &start, &end, &rights, &offset, &device, &inode)
	return start, end, err == nil && n == 6 && inode != 0 && strings.HasPrefix(rights, "r-") && strings.HasSuffix(rights, "p")
}

func drop(start, end uintptr) error {
	_, _, errno := unix.Syscall(unix.SYS_MADVISE, start, end-start, unix.MADV_DONTNEED)
	if errno != 0 {
		return errno
	}
	return nil
}
