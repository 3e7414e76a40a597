package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// namedDir is where namespaces have names, for us as for ip-netns(8).
const namedDir = "/run/netns"

// onThread runs do on an OS thread that nothing else uses meanwhile, and
// afterwards, whatever happened, returns that thread to the namespace where
// it was. A panic in do becomes one of the caller, so that his deferred calls
// run; so does a runtime.Goexit.
func onThread(do func() error) error {
	var (
		err      error
		panicked any
		returned bool
		done     = make(chan struct{})
	)
	go func() {
		defer close(done)
		defer func() {
			if v := recover(); v != nil {
				panicked = fmt.Sprintf("%v\n\n%s", v, debug.Stack())
			}
		}()
		err = thereAndBack(do)
		returned = true
	}()
	<-done
	if panicked != nil {
		panic(panicked)
	}
	if !returned {
		runtime.Goexit()
	}
	return err
}

// thereAndBack locks the calling goroutine to its thread and unlocks it only
// where the thread is at home again. A thread that cannot return stays
// locked: the runtime ends it with its goroutine instead of giving it to
// another, which would find itself on a foreign host.
func thereAndBack(do func() error) (err error) {
	runtime.LockOSThread()
	home, err := netns.Get()
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("open our own network namespace: %w", err)
	}
	defer func() {
		if back := netns.Set(home); back != nil {
			err = errors.Join(err, fmt.Errorf("leave the host's namespace: %w", back))
		} else {
			runtime.UnlockOSThread()
		}
		_ = home.Close() // a descriptor only; no error of it could matter
	}()
	return do()
}

// probe makes and abandons a nameless namespace, to learn whether we may.
func probe() error {
	return onThread(func() error {
		handle, err := netns.New()
		if err != nil {
			return &UnavailableError{Cause: fmt.Errorf("unshare: %w", err)}
		}
		return handle.Close()
	})
}

// createNamespace makes a named namespace and runs prepare inside it. After
// an error nothing of it is left.
func createNamespace(name string, prepare func() error) (netns.NsHandle, error) {
	handle := netns.None()
	err := onThread(func() (err error) {
		if handle, err = netns.NewNamed(name); err != nil {
			return &UnavailableError{Cause: fmt.Errorf("create %s: %w", filepath.Join(namedDir, name), err)}
		}
		return prepare()
	})
	if err == nil {
		return handle, nil
	}
	if handle.IsOpen() {
		err = errors.Join(err, handle.Close())
	}
	return netns.None(), errors.Join(err, removeNamespace(name))
}

// shareNamedDir makes the folder of names a shared mount, as ip-netns(8) does
// before its first namespace. If it did that later, while our namespaces have
// names there, it would cover the folder with a copy, and below the copy the
// names could not be removed any more.
func shareNamedDir() error {
	if err := os.MkdirAll(namedDir, 0o755); err != nil {
		return &UnavailableError{Cause: fmt.Errorf("make %s: %w", namedDir, err)}
	}
	dir, err := os.Open(namedDir)
	if err != nil {
		return &UnavailableError{Cause: fmt.Errorf("open %s: %w", namedDir, err)}
	}
	defer dir.Close() // and with it goes the lock
	if err := unix.Flock(int(dir.Fd()), unix.LOCK_EX); err != nil {
		return fmt.Errorf("lock %s: %w", namedDir, err)
	}
	share := func() error { return unix.Mount("", namedDir, "", unix.MS_SHARED|unix.MS_REC, "") }
	err = share()
	if errors.Is(err, unix.EINVAL) { // it is no mount yet
		err = unix.Mount(namedDir, namedDir, "", unix.MS_BIND|unix.MS_REC, "")
		if err == nil {
			err = share()
		}
	}
	if err != nil {
		return &UnavailableError{Cause: fmt.Errorf("share %s: %w", namedDir, err)}
	}
	return nil
}

// removeNamespace takes the name away; the namespace goes with its last
// process and socket. A name that does not exist, or that is a plain file
// because its maker died early, is no error.
func removeNamespace(name string) error {
	path := filepath.Join(namedDir, name)
	if err := unix.Unmount(path, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("unmount %s: %w", path, err)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove namespace: %w", err)
	}
	return nil
}
