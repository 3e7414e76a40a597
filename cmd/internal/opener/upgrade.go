package opener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"ftpalg/cmd/internal/link"
	"ftpalg/rules"
)

// A running gateway hands everything over to a successor, which runs the
// program that is installed by then.
//
//	worker             opener                      successor            its worker
//	                   start it, Offer ──────────▶ read configuration
//	                   ◀────────────── Accepted
//	◀──────────── Park
//	Kept, KeptSocket ▶ ──────────────────────────▶ keep
//	Parked ──────────▶ leave the rules, Inherit ─▶ adopt the rules, start ────▶ restore
//	                   ◀────────────── Prepared    ◀──────────────────── Configured
//	◀─────────── Leave Resume ───────────────────▶ Resume ────────────────────▶ serve
//
// Whatever fails before Resume, the opener ends the successor, adopts its own
// rules again, and lets its worker go on.

const (
	// acceptTimeout is how long a successor may take to start, parkTimeout how
	// long the worker may take to hand the sessions over.
	acceptTimeout = 20 * time.Second
	parkTimeout   = 30 * time.Second
	// prepareTimeout is how long the successor may take to get ready, with
	// what its worker may.
	prepareTimeout = takeTimeout + 30*time.Second
	// resumeTimeout is how long it waits for the last word.
	resumeTimeout = 10 * time.Second
)

// LinkArgument is the option of `run` that makes it the successor of the
// gateway at the other end of LinkDescriptor.
const LinkArgument = "successor"

// errSuccessorEnded says that the successor has ended before it was ready.
var errSuccessorEnded = errors.New("the successor has ended; its last lines are in the log")

// successor is the opener that takes over.
type successor struct {
	process *os.Process
	link    *link.Link
	// said yields Accepted and Prepared; ended is closed when nothing more
	// comes, and failed says why then.
	said   chan link.Op
	ended  chan struct{}
	failed error
	// parked is closed when the worker has handed everything over.
	parked chan struct{}

	mu   sync.Mutex
	kept map[uint64]bool // sessions whose connections have come
}

// upgradeAsked answers an upgrade that the worker was asked for. With Code 1 it is a
// reload where the program has not been replaced.
func (o *Opener) upgradeAsked(r link.Record) {
	if r.Code == 1 && !o.replaced() {
		o.reloadAsked(r)
		return
	}
	if o.reloads.Add(1) > mostReloads {
		o.reloads.Add(-1)
		o.refuse(r, errTooMany)
		return
	}
	o.working.Go(func() {
		defer o.reloads.Add(-1)
		if err := o.upgrade(r); err != nil {
			o.refuse(r, err)
		}
	})
}

// replaced reports whether another program is installed than the one that runs.
func (o *Opener) replaced() bool {
	installed, err := os.Stat(o.o.Program)
	if err != nil {
		return false
	}
	running, err := os.Stat("/proc/self/exe")
	return err == nil && !os.SameFile(installed, running)
}

// upgrade hands over to a successor, and answers r once that is sure. The error
// says why the gateway goes on as it is.
func (o *Opener) upgrade(r link.Record) error {
	o.changing.Lock()
	defer o.changing.Unlock()
	if o.stopped {
		return errStopping
	}
	began := time.Now()
	s, err := o.startSuccessor()
	if err == nil {
		err = o.handTo(s)
	}
	if err != nil {
		o.log.Error("upgrade failed, this process goes on", "event", "upgrade_failed", "program", o.o.Program, "error", err)
		return err
	}
	o.log.Info("a successor has taken over", "event", "upgraded", "program", o.o.Program, "process", s.process.Pid, "took", time.Since(began))
	o.stopped = true
	o.o.Succeeded(s.process.Pid)
	o.send(link.Record{Op: link.Answer, Request: r.Request})
	o.send(link.Record{Op: link.Leave})
	o.succeeded <- s
	return nil
}

// startSuccessor starts the program that is installed now.
func (o *Opener) startSuccessor() (*successor, error) {
	l, theirs, err := link.Pair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	c := exec.Command(o.o.Program, "run", "--config", o.o.File, "--"+LinkArgument, fmt.Sprintf("--watch=%v", o.o.Watch))
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.ExtraFiles = []*os.File{theirs}
	c.Env = successorEnvironment(os.Environ())
	if err := c.Start(); err != nil {
		l.Close()
		return nil, fmt.Errorf("start the successor: %w", err)
	}
	s := &successor{
		process: c.Process, link: l, said: make(chan link.Op, 2), ended: make(chan struct{}), parked: make(chan struct{}),
		kept: make(map[uint64]bool),
	}
	go func() {
		s.failed = s.listen()
		c.Process.Kill() // does nothing to one that has ended
		c.Wait()
		close(s.ended)
	}()
	return s, nil
}

// successorEnvironment is that of systemd's main process, which the successor
// becomes (sd_watchdog_enabled(3)).
func successorEnvironment(all []string) (out []string) {
	for _, v := range all {
		if !strings.HasPrefix(v, "WATCHDOG_PID=") {
			out = append(out, v)
		}
	}
	return out
}

// listen takes what the successor says until it ends; the error is what it said
// of that.
func (s *successor) listen() error {
	failed := errSuccessorEnded
	s.link.Receive(func(r link.Record, f *os.File) {
		switch r.Op {
		case link.Accepted, link.Prepared:
			select {
			case s.said <- r.Op:
			default: // it repeats itself
			}
			closeFile(f)
		case link.Failed:
			var why string
			if link.Text(f, &why) == nil {
				failed = fmt.Errorf("the successor says: %s", why)
			}
			s.link.Close()
		default:
			closeFile(f)
		}
	})
	return failed
}

func closeFile(f *os.File) {
	if f != nil {
		f.Close()
	}
}

// await waits until the successor says something.
func (s *successor) await(what link.Op, d time.Duration) error {
	select {
	case said := <-s.said:
		if said == what {
			return nil
		}
		return errors.New("the successor speaks out of turn")
	case <-s.ended:
		return s.failed
	case <-time.After(d):
		return fmt.Errorf("the successor was not ready within %s", d)
	}
}

// end ends a successor that will not take over.
func (s *successor) end() {
	s.link.Close()
	<-s.ended
}

// handTo hands everything over. If that fails nothing has changed.
func (o *Opener) handTo(s *successor) error {
	if err := o.offer(s); err != nil {
		s.end()
		return err
	}
	err := o.park(s)
	var left []rules.Pinhole
	leaving := err == nil
	if leaving {
		left = o.rules().Pinholes()
		err = o.rules().Leave()
	}
	if err == nil {
		err = o.giveTo(s, left)
	}
	if err == nil {
		err = s.await(link.Prepared, prepareTimeout)
	}
	if err == nil {
		err = s.link.Send(link.Record{Op: link.Resume})
	}
	if err == nil {
		return nil
	}
	s.end()
	o.successor.Store(nil)
	if leaving {
		err = errors.Join(err, o.takeBack(left))
	}
	o.send(link.Record{Op: link.Resume})
	return err
}

// offer asks the successor whether it could take over.
func (o *Opener) offer(s *successor) error {
	if err := s.link.SendText(link.Record{Op: link.Offer}, Offer{Text: o.text, Snapshot: o.o.Snapshot}); err != nil {
		return fmt.Errorf("start the successor: %w", err)
	}
	return s.await(link.Accepted, acceptTimeout)
}

// park has the worker bring its sessions to rest and hand them over.
func (o *Opener) park(s *successor) error {
	snapshot, err := link.EmptyFile()
	if err != nil {
		return err
	}
	defer snapshot.Close()
	o.successor.Store(s)
	if err := o.link.SendFile(link.Record{Op: link.Park}, snapshot); err != nil {
		return err
	}
	select {
	case <-s.parked:
	case <-s.ended:
		return s.failed
	case <-time.After(parkTimeout):
		return fmt.Errorf("the worker did not hand its sessions over within %s", parkTimeout)
	}
	return s.link.SendFile(link.Record{Op: link.Snapshot}, snapshot)
}

// passOn passes on to the successor what the worker hands over.
func (o *Opener) passOn(r link.Record, f *os.File) {
	defer closeFile(f)
	s := o.successor.Load()
	if s == nil || f == nil {
		return // it comes too late
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Op == link.Kept {
		s.kept[r.Session] = true
	}
	s.link.SendFile(r, f) // if it has ended, that is noticed elsewhere
}

// allParked notes that the worker has handed everything over.
func (o *Opener) allParked() {
	if s := o.successor.Load(); s != nil {
		select {
		case <-s.parked:
		default:
			close(s.parked)
		}
	}
}

// giveTo gives the successor what this process itself has.
func (o *Opener) giveTo(s *successor, pinholes []rules.Pinhole) error {
	for number, l := range map[uint32]net.Listener{AdminNumber: o.windows.admin, HTTPNumber: o.windows.http} {
		if l == nil {
			continue
		}
		if err := s.link.SendFile(link.Record{Op: link.KeptSocket, Socket: number}, l.(syscall.Conn)); err != nil {
			return err
		}
	}
	if o.claim != nil {
		if err := s.link.SendFile(link.Record{Op: link.Claim}, o.claim); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link.SendText(link.Record{Op: link.Inherit}, o.bequeath(s.kept, pinholes))
}

// takeBack adopts again the rules that no successor has taken over.
func (o *Opener) takeBack(pinholes []rules.Pinhole) error {
	m, err := prepare(o.config, o.ruleOptions(o.config))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := m.Adopt(ctx, static(o.config, o.sockets), pinholes); err != nil {
		return fmt.Errorf("take the rules back: %w", err)
	}
	o.current.Store(&m)
	return nil
}
