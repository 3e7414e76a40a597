package top

import (
	"context"
	"fmt"
	"ftpalg/cmd/internal/api"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Gateway is what top asks; admin.Client is one.
type Gateway interface {
	Status() (api.Status, error)
	Sessions() ([]api.Session, error)
	Session(number uint64) (api.SessionDetail, error)
	Kill(number uint64) error
}

// every is how often the gateway is asked.
const every = time.Second

// ask makes a snapshot, with the details of one session unless it is 0.
func ask(g Gateway, session uint64) Snapshot {
	var s Snapshot
	if s.Status, s.Err = g.Status(); s.Err == nil {
		s.Sessions, s.Err = g.Sessions()
	}
	if s.Err == nil && session != 0 {
		if d, err := g.Session(session); err == nil {
			s.Detail = &d
		}
	}
	s.At = time.Now()
	return s
}

// outstanding is more than there are questions at one time, so that whoever
// asks one can end when nobody waits for the answer any more.
const outstanding = 64

// console is one run of top on a terminal.
type console struct {
	gateway Gateway
	screen  *screen
	model   *Model
	keys    chan []Key
	answers chan func() // what to do with them
	failed  chan error
	asking  bool
}

// Run shows the gateway on this process's terminal until its user quits or
// ctx ends. The terminal is as before then, whatever happened.
func Run(ctx context.Context, g Gateway) error {
	s, err := openScreen()
	if err != nil {
		return err
	}
	defer s.close()
	c := &console{
		gateway: g, screen: s, model: NewModel(),
		keys: make(chan []Key, 1), answers: make(chan func(), outstanding), failed: make(chan error, outstanding),
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go c.guard(func() error { return c.read(ctx) })
	return c.show(ctx)
}

// guard runs a goroutine whose panic must not pass the terminal by: it ends
// top with an error.
func (c *console) guard(run func() error) {
	defer func() {
		if p := recover(); p != nil {
			c.failed <- fmt.Errorf("top: panic: %v", p)
		}
	}()
	if err := run(); err != nil {
		c.failed <- err
	}
}

// read takes keys until the terminal is closed.
func (c *console) read(ctx context.Context) error {
	buf := make([]byte, 256)
	for {
		n, err := c.screen.tty.Read(buf)
		if err != nil {
			return fmt.Errorf("read the terminal: %w", err)
		}
		select {
		case c.keys <- decode(buf[:n]):
		case <-ctx.Done():
			return nil
		}
	}
}

// show draws what changes, and asks once a second.
func (c *console) show(ctx context.Context) error {
	resized := make(chan os.Signal, 1)
	signal.Notify(resized, syscall.SIGWINCH)
	defer signal.Stop(resized)
	tick := time.NewTicker(every)
	defer tick.Stop()
	c.look()
	for {
		if err := c.screen.draw(c.model); err != nil {
			return fmt.Errorf("write to the terminal: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case err := <-c.failed:
			return err
		case <-resized:
		case <-tick.C:
			c.look()
		case took := <-c.answers:
			took()
		case keys := <-c.keys:
			for _, k := range keys {
				if !c.press(k) {
					return nil
				}
			}
		}
	}
}

// press does what a key asks for, and reports false if it is the end.
func (c *console) press(k Key) bool {
	switch c.model.Press(k) {
	case Quit:
		return false
	case Kill:
		c.kill(c.model.Target())
	case Look:
		c.look()
	}
	return true
}

// look asks the gateway, which may take long, unless that is going on.
func (c *console) look() {
	if c.asking {
		return
	}
	c.asking = true
	session := c.model.Shown()
	go c.guard(func() error {
		s := ask(c.gateway, session)
		c.answers <- func() {
			c.asking = false
			c.model.Take(s)
		}
		return nil
	})
}

func (c *console) kill(session uint64) {
	go c.guard(func() error {
		outcome := fmt.Sprintf("session %d has been ended", session)
		if err := c.gateway.Kill(session); err != nil {
			outcome = fmt.Sprintf("session %d could not be ended: %v", session, err)
		}
		c.answers <- func() {
			c.model.Say(outcome)
			c.look()
		}
		return nil
	})
}
