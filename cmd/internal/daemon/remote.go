package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/expect"
	"ftpalg/alg/transparent"
	"ftpalg/cmd/internal/link"
	"ftpalg/cmd/internal/opener"
	"ftpalg/rules"
)

// remote is the opener, as the worker sees it: it is asked over the Link. It
// implements alg.Kernel, and is safe for concurrent use.
type remote struct {
	link *link.Link
	// event is given what the opener says of its own accord. It must not wait
	// for an answer.
	event func(link.Record, *os.File)

	mu      sync.Mutex
	last    uint64                 // number of the last request
	waiting map[uint64]chan answer // for the answers to requests
	ended   bool
}

// answer is what came back.
type answer struct {
	code uint8
	file *os.File
}

// errOpenerEnded says that the other process has ended.
var errOpenerEnded = errors.New("the opener has ended")

// askTimeout bounds the wait for what the opener has in its memory.
const askTimeout = 10 * time.Second

func newRemote(l *link.Link, event func(link.Record, *os.File)) *remote {
	return &remote{link: l, event: event, waiting: make(map[uint64]chan answer)}
}

// receive takes what the opener says until it ends.
func (r *remote) receive() error {
	err := r.link.Receive(func(m link.Record, f *os.File) {
		if m.Op != link.Answer {
			r.event(m, f)
			return
		}
		if !r.deliver(m, f) {
			closeFile(f) // nobody waits any more
		}
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	for _, to := range r.waiting {
		close(to)
	}
	r.waiting = nil
	return err
}

// deliver hands an answer to whoever waits for it, and reports whether anybody
// does.
func (r *remote) deliver(m link.Record, f *os.File) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	to := r.waiting[m.Request]
	if to == nil {
		return false
	}
	delete(r.waiting, m.Request)
	to <- answer{m.Code, f} // has room for one
	return true
}

func closeFile(f *os.File) {
	if f != nil {
		f.Close()
	}
}

// ask sends a request, with a connection if it is not nil, and waits for the
// answer's file. The error is an *opener.Failure if the opener refused.
func (r *remote) ask(ctx context.Context, m link.Record, c alg.Conn) (*os.File, error) {
	to := make(chan answer, 1)
	if err := r.expect(&m, to); err != nil {
		return nil, err
	}
	defer r.forget(m.Request)
	var err error
	if s, ok := c.(*arrived); ok {
		m.Socket = s.socket
		err = r.link.SendFile(m, s.TCPConn)
	} else {
		err = r.link.Send(m)
	}
	if err != nil {
		return nil, err
	}
	select {
	case a, ok := <-to:
		return a.open(ok)
	case <-ctx.Done():
		r.forget(m.Request)
		select {
		case a := <-to: // it came at the same moment
			closeFile(a.file)
		default:
		}
		return nil, context.Cause(ctx)
	}
}

func (r *remote) expect(m *link.Record, to chan answer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return errOpenerEnded
	}
	r.last++
	m.Request = r.last
	r.waiting[m.Request] = to
	return nil
}

func (r *remote) forget(request uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, request)
}

// open returns the answer's file, or why there is none.
func (a answer) open(ok bool) (*os.File, error) {
	if !ok {
		return nil, errOpenerEnded
	}
	if a.code == 0 {
		return a.file, nil
	}
	f := new(opener.Failure)
	if a.file == nil {
		return nil, errNoDescriptor
	}
	if err := link.Text(a.file, f); err != nil {
		return nil, fmt.Errorf("read the opener's refusal: %w", err)
	}
	return nil, f
}

// askText asks for a text and reads it into v.
func (r *remote) askText(m link.Record, v any) error {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	f, err := r.ask(ctx, m, nil)
	if err != nil {
		return err
	}
	return link.Text(f, v)
}

// Dial implements alg.Kernel.
func (r *remote) Dial(ctx context.Context, d alg.Dial) (alg.Conn, error) {
	f, err := r.ask(ctx, link.Record{Op: link.Connect, Session: d.Session, Target: d.Server, Client: d.Named}, d.Client)
	if err != nil {
		return nil, err
	}
	c, err := connOf(f)
	if err != nil {
		return nil, fmt.Errorf("take over the connection to %s: %w", d.Server, err)
	}
	return c, nil
}

// probe connects to one of the servers of the listener of a socket.
func (r *remote) probe(ctx context.Context, socket uint32, server netip.AddrPort) (alg.Conn, error) {
	f, err := r.ask(ctx, link.Record{Op: link.Probe, Socket: socket, Target: server}, nil)
	if err != nil {
		return nil, err
	}
	return connOf(f)
}

// errNoDescriptor says that a file was sent and could not be taken.
var errNoDescriptor = fmt.Errorf("no descriptor is left: %w", syscall.EMFILE)

// connOf makes a connection of a file that came over the Link, and closes the
// file.
func connOf(f *os.File) (*transparent.Conn, error) {
	if f == nil {
		return nil, errNoDescriptor
	}
	defer closeFile(f)
	any, err := net.FileConn(f)
	if err != nil {
		return nil, err
	}
	if c, ok := any.(*net.TCPConn); ok {
		return transparent.Made(c)
	}
	any.Close()
	return nil, errors.New("it is no TCP connection")
}

// Open implements alg.Kernel. The opener knows the session's hosts itself.
func (r *remote) Open(ctx context.Context, e expect.Expectation) error {
	f, err := r.ask(ctx, link.Record{
		Op: link.Promise, Session: e.Session, ID: e.ID, Mode: e.Mode, Target: e.Target, Port: e.Reached.Port(),
	}, nil)
	closeFile(f)
	if err != nil && ctx.Err() != nil {
		r.Close(e.ID) // it may be open by now
	}
	return err
}

// Relay implements alg.Kernel.
func (r *remote) Relay(ctx context.Context, e expect.Expectation) (alg.DataPort, error) {
	f, err := r.ask(ctx, link.Record{
		Op: link.Relay, Session: e.Session, ID: e.ID, Mode: e.Mode, Target: e.Target, Port: e.Reached.Port(),
	}, nil)
	if err != nil {
		if ctx.Err() != nil {
			r.Close(e.ID) // it may be open by now
		}
		return nil, err
	}
	defer closeFile(f)
	err = errNoDescriptor
	var l net.Listener
	if f != nil {
		l, err = net.FileListener(f)
	}
	if err != nil {
		r.Close(e.ID)
		return nil, fmt.Errorf("take over the data port %s: %w", e.Reached, err)
	}
	return &dataPort{remote: r, promise: e, listener: l.(*net.TCPListener)}, nil
}

// Connect implements alg.Kernel.
func (r *remote) Connect(ctx context.Context, e expect.Expectation) (alg.Conn, error) {
	f, err := r.ask(ctx, link.Record{Op: link.ConnectData, Session: e.Session, Mode: e.Mode, Target: e.Target}, nil)
	if err != nil {
		return nil, err
	}
	return dataConnOf(f, e.Target)
}

// Close implements alg.Kernel.
func (r *remote) Close(id expect.ID) { r.link.SendLater(link.Record{Op: link.Withdraw, ID: id}) }

// End implements alg.Kernel.
func (r *remote) End(session uint64) {
	r.link.SendLater(link.Record{Op: link.EndSession, Session: session})
}

// cut has the kernel forget the data connections of a session.
func (r *remote) cut(session uint64) { r.link.Send(link.Record{Op: link.Cut, Session: session}) }

// socketFailed says that a listening socket accepts no more.
func (r *remote) socketFailed(number uint32) {
	r.link.Send(link.Record{Op: link.SocketFailed, Socket: number})
}

// reload has the configuration read again.
func (r *remote) reload() error {
	f, err := r.ask(context.Background(), link.Record{Op: link.Reload}, nil)
	closeFile(f)
	return err
}

// upgrade has a successor take over; with ifReplaced, if it is another program.
func (r *remote) upgrade(ifReplaced bool) error {
	m := link.Record{Op: link.Upgrade}
	if ifReplaced {
		m.Code = 1
	}
	f, err := r.ask(context.Background(), m, nil)
	closeFile(f)
	return err
}

// openLog returns the transfer log, opened anew.
func (r *remote) openLog(string) (*os.File, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	return r.ask(ctx, link.Record{Op: link.OpenLog}, nil)
}

// addresses lists this machine's own.
func (r *remote) addresses() (all []netip.Addr, err error) {
	return all, r.askText(link.Record{Op: link.AskAddresses}, &all)
}

// pinholes, rules and status return what the opener knows; nothing where it
// does not answer.

func (r *remote) pinholes() (all []rules.Pinhole) {
	r.askText(link.Record{Op: link.AskPinholes}, &all)
	return all
}

func (r *remote) rules(id expect.ID) (lines []string) {
	r.askText(link.Record{Op: link.AskRules, ID: id}, &lines)
	return lines
}

func (r *remote) status() (s opener.Status) {
	r.askText(link.Record{Op: link.AskStatus}, &s)
	return s
}
