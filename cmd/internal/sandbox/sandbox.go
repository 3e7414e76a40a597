// Package sandbox takes from this process what the worker of a gateway does
// not need, for good: files but a few to read, sockets but what it was given,
// and system calls but those of reading and writing. Linux only.
package sandbox

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	seccomp "github.com/elastic/go-seccomp-bpf"
	"github.com/elastic/go-seccomp-bpf/arch"
	"github.com/landlock-lsm/go-landlock/landlock"
	"golang.org/x/sys/unix"
)

// Enter locks this process up. What it returns of Landlock is "", or why the
// kernel has it not or not in full: then the user's own permissions remain. An
// error says that the system calls could not be restricted.
func Enter() (landlock string, err error) {
	warmUp()
	landlock = restrictFiles()
	if err := restrictCalls(); err != nil {
		return landlock, fmt.Errorf("restrict system calls: %w", err)
	}
	return landlock, nil
}

// warmUp has the standard library find out now what it finds out once, by
// calls that are forbidden later: which address families the kernel has, and
// the local time zone.
func warmUp() {
	if c, err := net.ListenPacket("udp", "127.0.0.1:0"); err == nil {
		c.Close()
	}
	_, _ = time.Now().Zone()
}

// restrictFiles leaves nothing but to read what a name lookup and the metrics
// of the process need (landlock(7)). It forbids TCP's bind and connect, and
// signals to other processes, where the kernel knows how to.
func restrictFiles() (missing string) {
	read := landlock.RODirs(
		// Their files are replaced, not written: a rule for the file would end.
		"/etc", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
		fmt.Sprintf("/proc/%d", os.Getpid()),
	).IgnoreIfMissing()
	err := landlock.V6.BestEffort().Restrict(read, landlock.ROFiles("/proc/stat").IgnoreIfMissing())
	if err != nil {
		return err.Error()
	}
	return ""
}

// calls are the system calls of a Go program that reads and writes what it was
// given. They are named as on amd64 and arm64; what an architecture does not
// know is left out.
const calls = `
	read write readv writev splice pread64 close lseek fstat newfstatat getdents64 readlinkat fcntl dup3 pipe2
	accept4 getsockname getpeername getsockopt setsockopt shutdown bind recvfrom recvmsg recvmmsg
	epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 eventfd2 ppoll
	futex madvise munmap mincore brk sched_yield sched_getaffinity set_robust_list rseq membarrier
	rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall
	nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday
	timer_create timer_settime timer_delete setitimer
	getpid gettid getppid getuid geteuid getgid getegid getrandom uname sysinfo getrusage
	exit exit_group`

// prSetVMA names a part of the memory, which the runtime does (prctl(2),
// PR_SET_VMA).
const prSetVMA = 0x53564d41

// conditional are the calls whose arguments decide.
func conditional() []seccomp.NameWithConditions {
	when := func(name string, c ...seccomp.Condition) seccomp.NameWithConditions {
		return seccomp.NameWithConditions{Name: name, Conditions: c}
	}
	is := func(argument uint32, v uint64) seccomp.Condition {
		return seccomp.Condition{Argument: argument, Operation: seccomp.Equal, Value: v}
	}
	without := func(argument uint32, bits uint64) seccomp.Condition {
		return seccomp.Condition{Argument: argument, Operation: seccomp.BitsNotSet, Value: bits}
	}
	const datagram = unix.SOCK_DGRAM | unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	return []seccomp.NameWithConditions{
		// Threads, no processes and no namespaces.
		when("clone", seccomp.Condition{Operation: seccomp.BitsSet, Value: unix.CLONE_THREAD}),
		when("tgkill", is(0, uint64(os.Getpid()))),
		// Files to read, none to write.
		when("openat", without(2, unix.O_WRONLY|unix.O_RDWR|unix.O_CREAT|unix.O_TRUNC)),
		// Memory, but no code.
		when("mmap", without(2, unix.PROT_EXEC)),
		when("mprotect", without(2, unix.PROT_EXEC)),
		when("prctl", is(0, prSetVMA)),
		when("prlimit64", is(2, 0)), // to read limits
		// Datagrams, to ask a name server; connections come from the opener. One
		// that exists cannot be led elsewhere: there is no connect, nor the
		// connecting kind of sendto (tcp(7), MSG_FASTOPEN).
		when("socket", is(0, unix.AF_INET), is(1, datagram)),
		when("socket", is(0, unix.AF_INET6), is(1, datagram)),
		when("sendto", without(3, unix.MSG_FASTOPEN)),
		when("sendmsg", without(2, unix.MSG_FASTOPEN)),
		when("ioctl", is(1, unix.SIOCATMARK)),
	}
}

// restrictCalls has the kernel refuse every other call, in all threads, with
// EPERM (seccomp(2)).
func restrictCalls() error {
	here, err := arch.GetInfo("")
	if err != nil {
		return err
	}
	var known []string
	for _, name := range strings.Fields(calls) {
		if _, ok := here.SyscallNames[name]; ok {
			known = append(known, name)
		}
	}
	return seccomp.LoadFilter(seccomp.Filter{
		NoNewPrivs: true,
		Flag:       seccomp.FilterFlagTSync,
		Policy: seccomp.Policy{
			DefaultAction: seccomp.ActionErrno,
			Syscalls: []seccomp.SyscallGroup{
				{Action: seccomp.ActionAllow, Names: known, NamesWithCondtions: conditional()},
				// Its arguments are in memory, where no filter sees them. The C
				// library then makes its threads by clone; it would not if it were
				// refused (pthread_create.c).
				{Action: seccomp.ActionErrno | seccomp.Action(unix.ENOSYS), Names: []string{"clone3"}},
			},
		},
	})
}
