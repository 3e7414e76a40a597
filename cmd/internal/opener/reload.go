package opener

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"time"

	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/link"
)

// Setup is what the worker gets to know of the configuration. The sockets that
// it has not got yet have come before, each by its number.
type Setup struct {
	File    string
	Text    []byte
	Token   string
	Sockets []Socket
	// Keys are the certificates of listeners, by their names.
	Keys map[string]Keys
	// Inherited says that the sessions of a predecessor have come before, which
	// rest until Resume.
	Inherited bool
}

// Socket is a listening socket of a Setup.
type Socket struct {
	Number uint32
	// Name is the listener's, "" for the admin socket and for admin.http.
	Name string
	Kind Kind
	// Text names the socket in words.
	Text string
}

// Kind says what a listening socket is for.
type Kind uint8

// The kinds of listening sockets.
const (
	Fronting Kind = iota
	ViaTPROXY
	ViaREDIRECT
	AdminSocket
	AdminHTTP
)

// Numbers of the sockets that are no listener's.
const (
	AdminNumber = 1<<32 - 1
	HTTPNumber  = 1<<32 - 2
)

var (
	// errStopping answers a reload that comes too late.
	errStopping = errors.New("the gateway is stopping")
	// errTooMany answers a reload while others wait.
	errTooMany = errors.New("other reloads are at work")
	// errNotTaken says that the worker could not use a configuration.
	errNotTaken = errors.New("the worker did not take the configuration")
)

// mostReloads bounds the reloads that wait.
const mostReloads = 8

// reloadAsked answers a reload that the worker was asked for.
func (o *Opener) reloadAsked(r link.Record) {
	if o.reloads.Add(1) > mostReloads {
		o.reloads.Add(-1)
		o.refuse(r, errTooMany)
		return
	}
	o.working.Go(func() {
		defer o.reloads.Add(-1)
		if err := o.reload(); err != nil {
			o.refuse(r, err)
			return
		}
		o.send(link.Record{Op: link.Answer, Request: r.Request})
	})
}

// reload reads the configuration file again. If it is not good, or what it
// asks for cannot be had, the running configuration stays in force and the
// error says why. Sessions go on with what they began with.
func (o *Opener) reload() error {
	o.changing.Lock()
	defer o.changing.Unlock()
	err := o.change(context.Background())
	failed := ""
	if err != nil {
		failed = err.Error()
	}
	o.sent(o.link.SendText(link.Record{Op: link.Reloaded}, failed))
	if err != nil {
		o.log.Error("configuration rejected, the running one stays in force",
			"event", "reload_failed", "file", o.o.File, "error", err)
		return err
	}
	o.log.Info("configuration reloaded", "event", "reload", "file", o.o.File, "listeners", o.listening())
	return nil
}

func (o *Opener) change(ctx context.Context) error {
	if o.stopped {
		return errStopping
	}
	text, err := config.Read(o.o.File)
	if err != nil {
		return err
	}
	next, err := config.Parse(o.o.File, text)
	if err != nil {
		return err
	}
	if fixed := config.NeedsRestart(o.config, next); len(fixed) > 0 {
		return fmt.Errorf("%s: changed, which needs a restart", strings.Join(fixed, ", "))
	}
	keys, err := ReadKeys(next, nil)
	if err != nil {
		return err
	}
	if _, err := wantedOf(next); err != nil {
		return err
	}
	opened, err := o.openMissing(ctx, next)
	if err != nil {
		return err
	}
	if err := o.rules().Apply(ctx, static(next, o.wanted(next, opened))); err != nil {
		closeAll(opened)
		return fmt.Errorf("install rules: %w", err)
	}
	o.o.SetLevel(next.Log)
	if err := o.handOver(next, text, keys, windows{}, opened, false); err != nil {
		return err
	}
	return o.askAuthorities()
}

// handOver puts a configuration in force, here and in the worker.
func (o *Opener) handOver(c *config.Config, text []byte, keys map[string]Keys, w windows, opened map[endpoint]*socket, inherited bool) error {
	setup := Setup{File: o.o.File, Text: text, Token: w.token, Keys: keys, Inherited: inherited}
	pass := func(number uint32, s syscall.Conn) {
		o.sent(o.link.SendFile(link.Record{Op: link.ListeningSocket, Socket: number}, s))
	}
	if w.admin != nil {
		pass(AdminNumber, w.admin.(syscall.Conn))
		setup.Sockets = append(setup.Sockets, Socket{Number: AdminNumber, Kind: AdminSocket})
	}
	if w.http != nil {
		pass(HTTPNumber, w.http.(syscall.Conn))
		setup.Sockets = append(setup.Sockets, Socket{Number: HTTPNumber, Kind: AdminHTTP})
	}
	sockets := o.wanted(c, opened)
	for e, s := range sockets {
		setup.Sockets = append(setup.Sockets, Socket{s.number, nameOf(c, e), Kind(e.kind), e.String()})
		if s.listener != nil {
			pass(s.number, s.listener)
			s.handedOver()
		}
	}
	o.mu.Lock()
	o.config, o.text, o.keys, o.sockets = c, text, keys, sockets
	o.mu.Unlock()
	select {
	case <-o.taken: // what came too late for the last one
	default:
	}
	o.sent(o.link.SendText(link.Record{Op: link.Configure}, setup))
	return o.awaitTaken()
}

// nameOf returns the name of the listener that an endpoint is of.
func nameOf(c *config.Config, e endpoint) string {
	for i := range c.Listeners {
		for _, of := range endpoints(&c.Listeners[i]) {
			if of == e {
				return c.Listeners[i].Name
			}
		}
	}
	return ""
}

// takeTimeout is how long the worker may take to put a configuration in force;
// it may have to wait for a name server.
const takeTimeout = 30 * time.Second

// awaitTaken waits until the worker has put the configuration in force.
func (o *Opener) awaitTaken() error {
	select {
	case ok := <-o.taken:
		if ok {
			return nil
		}
	case <-time.After(takeTimeout):
	}
	return errNotTaken
}

func (o *Opener) configured(r link.Record) {
	select {
	case o.taken <- r.Code == 0:
	default: // nobody has asked
	}
}
