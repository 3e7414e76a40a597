package lab

import (
	"os/exec"
	"runtime"
)

// starter starts the processes of a network, all on one OS thread that lives
// until end is called. The kernel ends a process whose Pdeathsig is set with
// the thread that started it, not with that thread's process
// (PR_SET_PDEATHSIG, prctl(2)), and the runtime's other threads may end at
// any time. So none of them outlives us, however we end.
type starter struct{ jobs chan func() }

func newStarter() starter {
	s := starter{make(chan func())}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

// start starts a process on a host.
func (s starter) start(c *exec.Cmd, on *Host) error {
	started := make(chan error)
	s.jobs <- func() {
		started <- thereAndBack(func() error { return on.visit(c.Start) })
	}
	return <-started
}

// end gives the thread back, once no process is left that it started.
func (s starter) end() { close(s.jobs) }
