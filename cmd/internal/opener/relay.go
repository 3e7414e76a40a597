package opener

import (
	"context"
	"net"
	"net/netip"

	"ftpalg/alg/transparent"
	"ftpalg/cmd/internal/link"
)

// openRelay opens a listening socket for the host of a relayed promise, has
// the kernel admit that host to it, and hands it over.
func (o *Opener) openRelay(s *session, p *promise, r link.Record) {
	l, err := o.listenFor(s.ctx, p)
	if err == nil {
		defer l.Close() // the worker has it
		err = o.admitTo(s.ctx, p, unmapped(l.Addr()))
	}
	if err != nil {
		o.ledger.withdraw(p.ID)
		o.refuse(r, err)
		return
	}
	o.answerFile(r, l)
}

// listenFor listens where the promised host was told to connect, if that
// address is ours; otherwise at the one of this machine that faces the host,
// to which its connection will be translated.
func (o *Opener) listenFor(ctx context.Context, p *promise) (*net.TCPListener, error) {
	if p.ours {
		return transparent.ListenData(ctx, p.Reached, p.From)
	}
	a, err := transparent.Facing(p.From)
	if err != nil {
		return nil, err
	}
	return transparent.ListenData(ctx, netip.AddrPortFrom(a, 0), p.From)
}

// admitTo has the kernel admit the promised host to a socket of this machine.
// On loopback there is no firewall to open.
func (o *Opener) admitTo(ctx context.Context, p *promise, at netip.AddrPort) error {
	e := p.Expectation
	e.Target, e.Seen = at, p.From
	if at == p.Reached && at.Addr().IsLoopback() {
		return nil
	}
	return o.rules().Open(ctx, e)
}

// dialData connects to the target of a relayed promise.
func (o *Opener) dialData(r link.Record) {
	p, s, err := o.ledger.dialed(r.Session, r.ID)
	if err != nil {
		o.refuse(r, err)
		return
	}
	o.working.Go(func() {
		c, err := o.dialTarget(s, p, r.Port)
		if err != nil {
			o.refuse(r, err)
			return
		}
		defer c.Close() // the worker has it
		o.answerFile(r, c)
	})
}

// connectData makes a data connection to a host that waits for it, which only a
// listener needs that converts.
func (o *Opener) connectData(r link.Record) {
	s, err := o.ledger.beginConnecting(r.Session)
	if err != nil {
		o.refuse(r, err)
		return
	}
	p := new(promise)
	if p.Expectation, err = s.waitsFor(r.Mode, r.Target); err != nil {
		o.ledger.endConnecting(s)
		o.refuse(r, err)
		return
	}
	o.working.Go(func() {
		defer o.ledger.endConnecting(s)
		c, err := o.dialTarget(s, p, 0)
		if err != nil {
			o.refuse(r, err)
			return
		}
		defer c.Close() // the worker has it
		o.answerFile(r, c)
	})
}

// dialTarget connects as the kernel would translate the connection that came
// from port: its source port is kept in active mode, where it means something
// to some clients (RFC 959 section 3.2: the server's port before its control
// port). Where neither address changes, the two connections must differ in it.
func (o *Opener) dialTarget(s *session, p *promise, port uint16) (*transparent.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.config.Limits.ConnectTimeout)
	defer cancel()
	own, err := o.addresses.Local(p.Seen)
	if err != nil {
		return nil, err
	}
	q := transparent.Request{Server: p.Target, Source: p.Seen, Foreign: !own, Mark: o.dialMark}
	switch {
	case p.Seen == p.From && p.Target == p.Reached:
		q.Avoid = []uint16{port}
	case !p.Mode.Passive():
		q.Port = port
	}
	return transparent.DialData(ctx, q)
}
