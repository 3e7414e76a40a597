package rules

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ftpalg/alg/expect"
)

// A deadline that the tool cannot express is refused by it, not by us: a
// promise that is bad in the kernel's eyes.
func TestTheKernelRefusesOnePromiseAndTakesTheOthers(t *testing.T) {
	generations(t, func(t *testing.T) {
		m := startManager(t, Options{}, Static{})
		errs := make([]error, 8)
		var opens sync.WaitGroup
		for i := range errs {
			e := examplePromise(expect.ID(i))
			if i == 3 {
				e.Until = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
			}
			opens.Go(func() { errs[i] = m.Open(t.Context(), e) })
		}
		opens.Wait()
		for i, err := range errs {
			var failed *OpError
			if i == 3 && (!errors.As(err, &failed) || !strings.Contains(failed.Rule, "2199-12-31")) {
				t.Errorf("the bad promise: %v, want an error with its rule", err)
			}
			if i != 3 && err != nil {
				t.Errorf("promise %d: %v", i, err)
			}
		}
		text := saved(t)
		for i := range errs {
			if n := strings.Count(text, "PASV "+strconv.Itoa(i)+`"`); n != 3 && i != 3 || n != 0 && i == 3 {
				t.Errorf("promise %d has %d rules in the kernel", i, n)
			}
		}
	})
}

func TestManySessionsOpenAndClose(t *testing.T) {
	generations(t, func(t *testing.T) {
		m := startManager(t, Options{}, Static{})
		var sessions sync.WaitGroup
		const each = 25
		began := time.Now()
		for s := range 8 {
			sessions.Go(func() {
				for n := range each {
					id := expect.ID(s*each + n)
					if err := m.Open(t.Context(), examplePromise(id)); err != nil {
						t.Error(err)
					}
					m.Close(id)
				}
			})
		}
		sessions.Wait()
		t.Logf("%d promises in %s", 8*each, time.Since(began))
		eventually(t, "all are swept", func() bool { return len(m.Pinholes()) == 0 })
		if strings.Contains(saved(t), "session 12") {
			t.Error("rules are left")
		}
	})
}

// holdLock holds the xtables lock as another program would (flock(2)).
func holdLock(t *testing.T) (release func()) {
	t.Helper()
	f, err := os.OpenFile(os.Getenv("XTABLES_LOCKFILE"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return func() { f.Close() }
}

func TestALockHeldByOthersIsWaitedForButNotForEver(t *testing.T) {
	needKernel(t)
	useGeneration(t, "legacy")
	loopbackUp(t)
	t.Cleanup(func() { wipe(t, "legacy") })
	m := startManager(t, Options{}, Static{})

	release := holdLock(t)
	time.AfterFunc(time.Second, release)
	if err := m.Open(t.Context(), examplePromise(1)); err != nil {
		t.Errorf("the lock was held for a second: %v", err)
	}
	release = holdLock(t)
	defer release()
	err := m.Open(t.Context(), examplePromise(2))
	if !errors.Is(err, ErrBusy) {
		t.Errorf("the lock was not released: %v, want ErrBusy", err)
	}
	if text := saved(t); strings.Contains(text, "PASV 2") {
		t.Errorf("a refused promise left rules:\n%s", text)
	}
}
