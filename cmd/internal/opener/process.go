package opener

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/cmd/internal/config"
)

// WorkerCommand is the subcommand of the worker, which finds its end of the
// Link at the descriptor LinkDescriptor.
const (
	WorkerCommand  = "worker"
	LinkDescriptor = 3
)

// worker is the other process.
type worker struct {
	process *os.Process
	ended   chan struct{}
	err     error // how it ended, once that is closed
}

// startWorker starts the worker with nothing but its end of the Link and the
// standard descriptors.
func (o *Opener) startWorker(end *os.File) (*worker, error) {
	as, err := o.workerUser()
	if err != nil {
		return nil, err
	}
	c := exec.Command("/proc/self/exe", WorkerCommand)
	c.Args[0] = os.Args[0]
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.ExtraFiles = []*os.File{end}
	c.Env = workerEnvironment(os.Environ())
	c.SysProcAttr = &syscall.SysProcAttr{
		Credential: as, Pdeathsig: syscall.SIGKILL,
		Setpgid: true, // a terminal's Ctrl-C is for the opener, which then asks the worker to end
	}
	w := &worker{ended: make(chan struct{})}
	if err := startUnprivileged(c, func() {
		w.err = c.Wait()
		close(w.ended)
	}); err != nil {
		return nil, fmt.Errorf("start the worker: %w", err)
	}
	w.process = c.Process
	return w, nil
}

// startUnprivileged starts a process that has no capability and can gain none. Wait
// must return when the process has ended. The thread gives up what the process
// inherits; so nothing else may run on it, and it must live as long as the process
// (prctl(2), PR_SET_PDEATHSIG).
func startUnprivileged(c *exec.Cmd, wait func()) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := errors.Join(giveUp(), c.Start())
		started <- err
		if err == nil {
			wait()
		}
	}()
	return <-started
}

// giveUp takes from this thread what its children must never have: every
// capability that an exec could give them, and privileges of files
// (capabilities(7), PR_SET_NO_NEW_PRIVS).
func giveUp() error {
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		// Without CAP_SETPCAP what is left in the set can still not be gained.
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0); err != nil && !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("drop capability %d: %w", c, err)
		}
	}
	if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0); err != nil {
		return fmt.Errorf("clear ambient capabilities: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	return nil
}

// workerEnvironment leaves out what systemd says to its main process only.
func workerEnvironment(all []string) (out []string) {
	for _, v := range all {
		name, _, _ := strings.Cut(v, "=")
		if name != "NOTIFY_SOCKET" && !strings.HasPrefix(name, "WATCHDOG_") && !strings.HasPrefix(name, "LISTEN_") {
			out = append(out, v)
		}
	}
	return out
}

// workerUser returns the identity of the worker, nil where this process may
// not change its own. Where there is no user of the default name, the kernel's
// overflow user serves.
func (o *Opener) workerUser() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		o.log.Warn("not root: the worker runs as the same user", "event", "worker_user", "user", os.Geteuid())
		return nil, nil
	}
	u, err := user.Lookup(o.config.User)
	var unknown user.UnknownUserError
	switch {
	case errors.As(err, &unknown) && o.config.User == config.DefaultUser:
		o.log.Warn("there is no user "+o.config.User+": the worker runs as nobody", "event", "worker_user", "user", nobody)
		return &syscall.Credential{Uid: nobody, Gid: nobody}, nil
	case err != nil:
		return nil, fmt.Errorf("user: %w", err)
	}
	uid, first := strconv.ParseUint(u.Uid, 10, 32)
	gid, second := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(first, second); err != nil {
		return nil, fmt.Errorf("user: %w", err)
	}
	if uid == 0 {
		return nil, fmt.Errorf("user: %s is root, which the worker must not be", o.config.User)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// nobody is the kernel's overflow user and group (/proc/sys/kernel/overflowuid).
const nobody = 65534

// await gives the worker time to end.
func (w *worker) await(d time.Duration) {
	select {
	case <-w.ended:
	case <-time.After(d):
	}
}

// end kills the worker if it lives on, and returns how it ended.
func (w *worker) end() error {
	w.process.Kill() // does nothing to one that has ended
	<-w.ended
	if w.err != nil {
		return fmt.Errorf("the worker has ended: %w", w.err)
	}
	return nil
}
