package sandbox

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
)

const lockedUp = "FTPALG_TEST_LOCKED_UP"

func TestMain(m *testing.M) {
	if os.Getenv(lockedUp) != "" {
		makeThreads()
		return
	}
	os.Exit(m.Run())
}

// makeThreads locks this process up and has each of many goroutines keep a
// thread of its own.
func makeThreads() {
	if _, err := Enter(); err != nil {
		fmt.Println(err)
		return
	}
	const many = 40
	var started, done sync.WaitGroup
	end := make(chan struct{})
	for range many {
		started.Add(1)
		done.Go(func() {
			runtime.LockOSThread()
			started.Done()
			<-end
		})
	}
	started.Wait()
	close(end)
	done.Wait()
	fmt.Println("made", many)
}

// A program that is linked with the C library makes its threads in another way
// than one that is not; this is tested as this test was built.
func TestThreadsCanBeMadeInTheSandbox(t *testing.T) {
	c := exec.Command("/proc/self/exe")
	c.Env = append(os.Environ(), lockedUp+"=1")
	out, err := c.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "made 40" {
		t.Errorf("%v: %s", err, out[:min(len(out), 500)])
	}
}
