package opener

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/link"
)

// predecessor is the gateway from which this one takes over; see upgrade.go.
type predecessor struct {
	link    *link.Link
	process int
	// offered yields its Offer, inherited is closed when everything has come,
	// resumed when it has left, and gone when it has ended.
	offered                  chan Offer
	inherited, resumed, gone chan struct{}

	// Set until inherited is closed; failed if something could not be read.
	Inheritance
	failed   error
	config   *config.Config // that it had in force
	claim    *os.File
	snapshot *os.File
	sockets  map[uint32]*os.File
	kept     []kept
}

// kept is a connection of a session.
type kept struct {
	link.Record
	file *os.File
}

// Decline tells a predecessor why this process cannot succeed it, and waits until
// it knows: what is left unread would take the answer with it (unix(7)).
func Decline(l *link.Link, why error) {
	l.SendText(link.Record{Op: link.Failed}, why.Error())
	patience := time.AfterFunc(declineTimeout, func() { l.Close() })
	defer patience.Stop()
	l.Receive(func(_ link.Record, f *os.File) { closeFile(f) })
}

// declineTimeout bounds the wait for a predecessor to hear why it has no successor.
const declineTimeout = 2 * time.Second

// inherit waits for all that the predecessor hands over.
func (o *Opener) inherit(l *link.Link) (*predecessor, error) {
	p := &predecessor{
		link: l, process: os.Getppid(), offered: make(chan Offer, 1), inherited: make(chan struct{}), resumed: make(chan struct{}), gone: make(chan struct{}),
		sockets: make(map[uint32]*os.File),
	}
	go func() {
		l.Receive(p.take)
		close(p.gone)
	}()
	select {
	case offer := <-p.offered:
		if offer.Snapshot != o.o.Snapshot {
			return nil, fmt.Errorf("sessions are written down in version %d, this program reads version %d", offer.Snapshot, o.o.Snapshot)
		}
		if err := p.examine(offer, o.o.File, o.config); err != nil {
			return nil, err
		}
	case <-p.gone:
		return nil, errPredecessorEnded
	}
	if err := l.Send(link.Record{Op: link.Accepted}); err != nil {
		return nil, err
	}
	select {
	case <-p.inherited:
		return p, p.failed
	case <-p.gone:
		return nil, errPredecessorEnded
	}
}

// errPredecessorEnded says that the predecessor has ended, or does not want to be
// succeeded any more.
var errPredecessorEnded = errors.New("the gateway that is to be succeeded has ended, or goes on")

// take takes what the predecessor hands over.
func (p *predecessor) take(r link.Record, f *os.File) {
	switch r.Op {
	case link.Offer:
		var offer Offer
		if link.Text(f, &offer) == nil {
			p.offered <- offer
		}
	case link.Kept:
		p.kept = append(p.kept, kept{r, f})
	case link.KeptSocket:
		closeFile(p.sockets[r.Socket])
		p.sockets[r.Socket] = f
	case link.Claim:
		p.claim = f
	case link.Snapshot:
		p.snapshot = f
	case link.Inherit:
		p.failed = link.Text(f, &p.Inheritance)
		close(p.inherited)
	case link.Resume:
		close(p.resumed)
	}
}

// examine says why what is offered cannot be taken over with the configuration
// c.
func (p *predecessor) examine(offer Offer, file string, c *config.Config) (err error) {
	if p.config, err = config.Parse(file, offer.Text); err != nil {
		return fmt.Errorf("the configuration in force: %w", err)
	}
	if fixed := config.NeedsRestart(p.config, c); len(fixed) > 0 {
		return fmt.Errorf("%s: changed, which needs a restart", strings.Join(fixed, ", "))
	}
	return nil
}

// takeSockets makes the predecessor's listening sockets this process's own, so
// that none is opened a second time; those that its configuration does not name
// are closed.
func (o *Opener) takeSockets(p *predecessor) {
	o.lastSocket = p.LastSocket
	all := make(map[endpoint]*socket)
	for _, s := range p.Sockets {
		if f := p.sockets[s.Number]; f != nil {
			e := endpoint{kind: listenerKind(s.Kind), addr: s.Addr, name: s.Name}
			all[e] = &socket{endpoint: e, number: s.Number, at: s.At, listener: f}
		}
	}
	o.sockets = all
	wanted := o.wanted(o.config, nil)
	for e, s := range all {
		if wanted[e] == nil {
			s.handedOver()
		}
	}
	o.sockets = wanted
}

// takeWindows makes the sockets of the admin interface this process's own.
func (o *Opener) takeWindows(p *predecessor) (w windows, err error) {
	a := &o.config.Admin
	if w.admin, err = listenerFrom(p.sockets[AdminNumber]); err != nil {
		return w, fmt.Errorf("take over the admin socket: %w", err)
	}
	if u, ok := w.admin.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(true)
	}
	if !a.HTTP.IsValid() {
		return w, nil
	}
	token, err := a.ReadToken()
	if err == nil {
		w.token = token.Reveal()
		w.http, err = listenerFrom(p.sockets[HTTPNumber])
	}
	if err != nil {
		return w, fmt.Errorf("admin.http: %w", err)
	}
	return w, nil
}

func listenerFrom(f *os.File) (net.Listener, error) {
	if f == nil {
		return nil, errors.New("it did not come")
	}
	defer f.Close()
	return net.FileListener(f)
}

// takeClaim makes the claim on the network namespace this process's own. Who
// listens last is who is named to others (unix(7), SO_PEERCRED).
func takeClaim(f *os.File) (*net.UnixListener, error) {
	if f == nil {
		return nil, nil // another program holds the name
	}
	l, err := listenerFrom(f)
	if err != nil {
		return nil, fmt.Errorf("take over the claim: %w", err)
	}
	u, ok := l.(*net.UnixListener)
	if !ok {
		l.Close()
		return nil, errors.New("take over the claim: it is no Unix socket")
	}
	raw, err := u.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { unix.Listen(int(fd), unix.SOMAXCONN) })
	}
	return u, err
}

// adopt takes over the predecessor's rules and its ledger.
func (o *Opener) adopt(ctx context.Context, opened map[endpoint]*socket, p *predecessor) error {
	if err := o.ledger.inherit(p.Sessions, p.config); err != nil {
		return fmt.Errorf("take over the sessions: %w", err)
	}
	return o.rules().Adopt(ctx, static(o.config, o.wanted(o.config, opened)), p.Pinholes)
}

// passKept passes the sessions on to the worker.
func (o *Opener) passKept(p *predecessor) {
	for _, k := range p.kept {
		if k.file != nil {
			o.sent(o.link.SendFile(k.Record, k.file))
			k.file.Close()
		}
	}
	p.kept = nil
	if p.snapshot != nil {
		o.sent(o.link.SendFile(link.Record{Op: link.Snapshot}, p.snapshot))
		p.snapshot.Close()
	}
}

// hasDied reports whether the predecessor has died. One that is gone and goes on
// ends this process.
func (p *predecessor) hasDied() bool {
	select {
	case <-p.gone:
	default:
		return false
	}
	const lookAgain = 10 * time.Millisecond
	for range int(resumeTimeout / lookAgain) {
		if os.Getppid() != p.process {
			return true
		}
		time.Sleep(lookAgain)
	}
	return false
}

// awaitResume says that everything is ready, and waits until the predecessor has
// left. From then on the rules are this process's.
func (p *predecessor) awaitResume() error {
	if err := p.link.Send(link.Record{Op: link.Prepared}); err != nil {
		return errPredecessorEnded
	}
	select {
	case <-p.resumed:
		return nil
	case <-p.gone:
		select {
		case <-p.resumed: // its last word
			return nil
		default:
			return errPredecessorEnded
		}
	case <-time.After(resumeTimeout):
		return errPredecessorEnded
	}
}
