package opener

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"ftpalg/alg/expect"
	"ftpalg/alg/transparent"
	"ftpalg/cmd/internal/link"
	"ftpalg/cmd/internal/xferlog"
	"ftpalg/rules"
)

// serve does what the worker asks for until it ends. An error says that it
// asked for what no worker does.
func (o *Opener) serve() error {
	var failed error
	err := o.link.Receive(func(r link.Record, f *os.File) {
		if failed == nil {
			failed = o.obey(r, f)
		} else if f != nil {
			f.Close()
		}
	})
	return cmp.Or(failed, err)
}

func (o *Opener) obey(r link.Record, f *os.File) error {
	switch r.Op {
	case link.Connect:
		o.connect(r, f)
		return nil
	case link.Kept, link.KeptSocket:
		o.passOn(r, f)
		return nil
	}
	if f != nil {
		f.Close()
	}
	switch r.Op {
	case link.Promise, link.Relay:
		o.promise(r)
	case link.DialData:
		o.dialData(r)
	case link.ConnectData:
		o.connectData(r)
	case link.Probe:
		o.probe(r)
	case link.Withdraw:
		if o.ledger.withdraw(r.ID) {
			o.rules().Close(r.ID)
		}
	case link.EndSession:
		for _, id := range o.ledger.end(r.Session) {
			o.rules().Close(id)
		}
	case link.Cut:
		if o.ledger.has(r.Session) {
			o.rules().Cut(r.Session)
		}
	case link.AskPinholes:
		o.answerText(r, o.rules().Pinholes())
	case link.AskRules:
		o.answerText(r, o.rules().Rules(r.ID))
	case link.AskStatus:
		o.answerText(r, o.status())
	case link.AskAddresses:
		o.answerAddresses(r)
	case link.Reload:
		o.reloadAsked(r)
	case link.OpenLog:
		o.openLog(r)
	case link.Upgrade:
		o.upgradeAsked(r)
	case link.Parked:
		o.allParked()
	case link.SocketFailed:
		o.socketFailed(r.Socket)
	case link.Configured:
		o.configured(r)
	case link.Alive:
		o.alive.Store(time.Now().UnixNano())
	default:
		return fmt.Errorf("the worker says %d, which means nothing", r.Op)
	}
	return nil
}

// promise has the kernel admit what the ledger allows.
func (o *Opener) promise(r link.Record) {
	p, s, err := o.ledger.promise(asked{r.Session, r.ID, r.Mode, r.Target, r.Port, r.Op == link.Relay})
	if err != nil {
		o.log.Error("the worker asked for a pinhole that it must not have", "event", "promise_refused",
			"session", r.Session, "target", r.Target, "port", r.Port, "error", err)
		o.refuse(r, err)
		return
	}
	p.Until = time.Now().Add(s.config.Data.PinholeTimeout)
	open := func() { o.open(s, p.Expectation, r) }
	if p.Relayed {
		open = func() { o.openRelay(s, p, r) }
	}
	if o.quick {
		open()
		return
	}
	o.working.Go(open)
}

func (o *Opener) open(s *session, e expect.Expectation, r link.Record) {
	if err := o.rules().Open(s.ctx, e); err != nil {
		o.ledger.withdraw(e.ID)
		o.refuse(r, err)
		return
	}
	o.send(link.Record{Op: link.Answer, Request: r.Request})
}

// Failure says why the opener did not do what was asked.
type Failure struct {
	Text string
	// Errno is that of the kernel, 0 if it refused nothing.
	Errno syscall.Errno
	// Timeout says that the time was over.
	Timeout bool
}

// Error returns the text.
func (f *Failure) Error() string { return f.Text }

// Unwrap returns the kernel's error, or context.DeadlineExceeded.
func (f *Failure) Unwrap() error {
	switch {
	case f.Timeout:
		return context.DeadlineExceeded
	case f.Errno != 0:
		return f.Errno
	}
	return nil
}

// refuse answers that something was not done.
func (o *Opener) refuse(r link.Record, err error) {
	f := Failure{Text: err.Error(), Timeout: errors.Is(err, context.DeadlineExceeded)}
	errors.As(err, &f.Errno)
	answer := link.Record{Op: link.Answer, Request: r.Request, Code: 1}
	if err := o.link.SendText(answer, f); isFileError(err) {
		o.send(answer) // without the reason
	} else {
		o.sent(err)
	}
}

func (o *Opener) answerText(r link.Record, v any) {
	o.answered(r, o.link.SendText(link.Record{Op: link.Answer, Request: r.Request}, v))
}

func (o *Opener) answerFile(r link.Record, f syscall.Conn) {
	o.answered(r, o.link.SendFile(link.Record{Op: link.Answer, Request: r.Request}, f))
}

// answered refuses what could not be answered for want of a descriptor.
func (o *Opener) answered(r link.Record, err error) {
	if isFileError(err) {
		o.refuse(r, err)
		return
	}
	o.sent(err)
}

func isFileError(err error) bool {
	var f *link.FileError
	return errors.As(err, &f)
}

func (o *Opener) send(r link.Record) { o.sent(o.link.Send(r)) }

// sent ends the Link where nothing can be sent any more: then serve ends too.
func (o *Opener) sent(err error) {
	switch {
	case isFileError(err):
		o.log.Error("the worker could not be told", "event", "descriptors", "error", err)
	case err != nil:
		o.link.Close()
	}
}

// Status is what the opener knows of the rules.
type Status struct {
	Path, Why, Netfilter string
	Health               rules.Health
}

func (o *Opener) status() Status {
	path, why := o.path()
	return Status{path, why, o.rules().Describe(), o.rules().Health()}
}

// answerAddresses answers with this machine's own addresses.
func (o *Opener) answerAddresses(r link.Record) {
	all, err := transparent.InterfaceAddresses()
	if err != nil {
		o.refuse(r, err)
		return
	}
	o.answerText(r, all)
}

// openLog answers with the transfer log.
func (o *Opener) openLog(r link.Record) {
	o.mu.Lock()
	path := o.config.Log.Transfers
	o.mu.Unlock()
	f, err := xferlog.OpenFile(path)
	if err != nil {
		o.refuse(r, err)
		return
	}
	defer f.Close()
	o.answerFile(r, f)
}

// follow passes on what data connections do. Of those that it relays the worker
// knows better.
func (o *Opener) follow(e rules.Event) {
	if e.Pinhole.Relayed {
		return
	}
	r := link.Record{ID: e.Pinhole.ID, Session: e.Pinhole.Session, Mode: e.Pinhole.Mode,
		Sent: e.Traffic.Sent, Received: e.Traffic.Received, Counted: e.Traffic.Counted, Took: int64(e.Traffic.Duration)}
	switch e.Kind {
	case rules.EventsLost:
		o.log.Warn("kernel events were lost; the state was read again", "event", "events_lost", "error", e.Err)
		return
	case rules.Connected:
		r.Op = link.Connected
	case rules.Reopened:
		r.Op = link.Reopened
	case rules.Carrying:
		r.Op = link.Carrying
	case rules.Disconnected:
		r.Op = link.Disconnected
	}
	o.link.SendLater(r)
}

// observe logs what the rules report, and tells the worker what it counts.
func (o *Opener) observe(e rules.Event) {
	switch e.Kind {
	case rules.Expired:
		o.log.Debug("pinhole expired unused", "event", "pinhole_expired", "session", e.Pinhole.Session, "pinhole", e.Pinhole.Expectation)
	case rules.Drift:
		o.log.Warn("netfilter rules had drifted and were repaired", "event", "rules_drift",
			"family", e.Family.String(), "rules", e.Rules)
		o.send(link.Record{Op: link.Drifted, Count: uint64(len(e.Rules))})
	default:
		o.log.Error("netfilter rules cannot be repaired, trying again", "event", "rules_failed",
			"what", e.Kind.String(), "family", e.Family.String(), "error", e.Err)
		o.sent(o.link.SendText(link.Record{Op: link.RulesFailed}, e.Err.Error()))
	}
}
