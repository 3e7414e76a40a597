package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// outputDelay is how long output is read on after the process has ended, in
// case that a child of it holds the pipe (exec.Cmd.WaitDelay).
const outputDelay = time.Second

// Command is a process on a host. It is used like the exec.Cmd that it
// embeds. It leads a process group of its own, all of which is killed
// when its context or its network ends. It does not outlive our process.
type Command struct {
	*exec.Cmd
	host   *Host
	ended  atomic.Bool
	reaped func() error
}

// Command prepares a process that will run on the host. Programs are found
// through this process's PATH.
func (h *Host) Command(ctx context.Context, name string, args ...string) *Command {
	c := &Command{Cmd: exec.CommandContext(ctx, name, args...), host: h}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.WaitDelay = outputDelay
	c.Cancel = c.kill
	c.reaped = sync.OnceValue(func() error {
		err := c.Cmd.Wait()
		c.ended.Store(true)
		return err
	})
	return c
}

// Start starts the process on the host.
func (c *Command) Start() error {
	n := c.host.network
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return fmt.Errorf("start %s: %w", c, ErrClosed)
	}
	if err := n.starter.start(c.Cmd, c.host); err != nil {
		return fmt.Errorf("start %s: %w", c, err)
	}
	n.commands = append(n.commands, c)
	return nil
}

// Wait waits until the started process has ended. Unlike exec.Cmd.Wait it may
// be called again, and returns the same error.
func (c *Command) Wait() error { return c.reaped() }

// Run starts the process and waits for its end.
func (c *Command) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// Output runs the process and returns its standard output. The error of a
// failed process carries what it wrote to standard error.
func (c *Command) Output() ([]byte, error) {
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		return stdout.Bytes(), fmt.Errorf("%s: %w: %s", c, err, bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// CombinedOutput runs the process and returns its standard output and
// standard error as they came.
func (c *Command) CombinedOutput() ([]byte, error) {
	var both bytes.Buffer
	c.Stdout, c.Stderr = &both, &both
	err := c.Run()
	return both.Bytes(), err
}

// String returns the host and the command line.
func (c *Command) String() string {
	return c.host.name + ": " + strings.Join(c.Args, " ")
}

// kill ends the process group of a started command. It is called by the
// context's end and by the network's.
func (c *Command) kill() error {
	if c.Process == nil || c.ended.Load() {
		return os.ErrProcessDone
	}
	err := syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
	if errors.Is(err, syscall.ESRCH) {
		return os.ErrProcessDone
	}
	return err
}
