package alg

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
)

// A data connection whose two sides are made in different modes is relayed. Where
// client and server both wait for a connection, the gateway connects to either;
// where both connect, it waits for either.

// serverSide is the server's side of such a data connection: where a passive one
// waits, its Target, or what the kernel must admit of an active one.
type serverSide struct {
	expect.Expectation
	leased uint16 // the port of an active one
}

// offerConverted translates an announcement whose sides are of different modes. It
// returns the data connection and the host-port that the server is to be told, if
// it is told any.
func (t *dataTable) offerConverted(e Endpoints, a *dialogue.Announcement, s *Settings) (d *dataConn, text netip.AddrPort, err error) {
	d = &dataConn{announcement: a.Number, host: clientHost(e.Client.Addr()), state: DataOffered, server: new(serverSide)}
	if a.ServerMode.Passive() {
		d.Expectation = expect.Expectation{ID: t.newID(), Mode: a.Mode, From: a.ServerAt.Addr(), Reached: a.ServerAt, Target: a.At, Seen: e.local()}
		d.server.Expectation = expect.Expectation{Mode: a.ServerMode, Target: a.ServerAt, Seen: e.Seen.Addr()}
		return d, text, nil
	}
	e.OwnsReached, e.OwnsSeen = true, true // no side has a port of its own
	towardsClient, err := Translate(e, a, s)
	if err != nil {
		return nil, text, err
	}
	towardsServer, err := Translate(e, &dialogue.Announcement{Mode: a.ServerMode}, s)
	if err != nil {
		return nil, text, err
	}
	if d.leased, err = t.lease(d.host, towardsClient, s.PromisesPerClient); err != nil {
		return nil, text, err
	}
	d.Expectation = towardsClient.Expectation(d.leased)
	d.ID = t.newID()
	if d.server.leased, err = t.lease(d.host, towardsServer, s.PromisesPerClient); err != nil {
		t.releasePort(d)
		return nil, text, err
	}
	d.server.Expectation = towardsServer.Expectation(d.server.leased)
	d.server.ID = t.newID()
	d.told = towardsClient.Text(d.leased)
	return d, towardsServer.Text(d.server.leased), nil
}

// admitBoth has the kernel admit the client and the server of d.
func (t *dataTable) admitBoth(ctx context.Context, d *dataConn) error {
	side := &d.server.Expectation
	side.Session, side.Until, side.Relayed = d.Session, d.Until, true
	client, err := t.kernel.Relay(ctx, d.Expectation)
	if err != nil {
		return err
	}
	server, err := t.kernel.Relay(ctx, *side)
	if err != nil {
		client.Close()
		t.kernel.Close(d.ID)
		return err
	}
	d.relay.port = &meetingPort{DataPort: client, table: t, server: server, side: *side, log: d.relay.log}
	return nil
}

// meetingPort is where the client of a data connection and its server are
// both waited for.
type meetingPort struct {
	DataPort // the client's
	table    *dataTable
	server   DataPort
	side     expect.Expectation
	log      *slog.Logger
}

// Dial implements DataPort: it waits for the server.
func (p *meetingPort) Dial(ctx context.Context, _ netip.AddrPort) (Conn, error) {
	stop := context.AfterFunc(ctx, func() { p.server.Close() })
	defer stop()
	c := acceptFrom(ctx, p.server, p.side.From, p.side.Reached, p.log)
	p.server.Close()
	if c == nil {
		return nil, context.Cause(ctx)
	}
	return c, nil
}

// end withdraws the promise to the server.
func (p *meetingPort) end() {
	p.server.Close()
	p.table.kernel.Close(p.side.ID)
}

// isDialed reports whether the gateway connects to both sides of d, so that nobody is
// admitted.
func (d *dataConn) isDialed() bool { return d.server != nil && d.server.Mode.Passive() }

// dialedPort is a data connection both of whose sides wait to be connected to: the
// server from its reply on, the client from the beginning of the transfer, as it
// would be by an active server.
type dialedPort struct {
	kernel Kernel
	d      *dataConn
	relay  *relay

	began  chan struct{}
	begin  func()
	closed chan struct{}
	close  func()
}

func newDialedPort(t *dataTable, d *dataConn) *dialedPort {
	p := &dialedPort{kernel: t.kernel, d: d, relay: d.relay, began: make(chan struct{}), closed: make(chan struct{})}
	p.begin = sync.OnceFunc(func() { close(p.began) })
	p.close = sync.OnceFunc(func() { close(p.closed) })
	return p
}

// Accept implements DataPort: it connects to the server and waits for the
// transfer.
func (p *dialedPort) Accept() (Conn, error) {
	select {
	case <-p.closed:
		return nil, net.ErrClosed
	default:
	}
	c, err := p.connect(context.Background(), p.d.server.Expectation)
	if err != nil {
		p.relay.noteUnreachable(p.d.Reached, err)
		<-p.closed
		return nil, net.ErrClosed
	}
	if err := p.relay.writeHeader(c, p.d.Target); err != nil {
		abort(c)
		<-p.closed
		return nil, net.ErrClosed
	}
	select {
	case <-p.began:
		return c, nil
	case <-p.closed:
		abort(c)
		return nil, net.ErrClosed
	}
}

// Dial implements DataPort: it connects to the client.
func (p *dialedPort) Dial(ctx context.Context, _ netip.AddrPort) (Conn, error) {
	return p.connect(ctx, p.d.Expectation)
}

func (p *dialedPort) connect(ctx context.Context, side expect.Expectation) (Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, relayDialTimeout)
	defer cancel()
	side.Session = p.d.Session
	return p.kernel.Connect(ctx, side)
}

// Close implements DataPort.
func (p *dialedPort) Close() error {
	p.close()
	return nil
}

// begin tells a relay that the transfer begins which it is used for.
func (r *relay) begin() {
	if p, ok := r.port.(*dialedPort); ok {
		p.begin()
	}
}

// end withdraws what the relay was promised.
func (r *relay) end() {
	r.table.kernel.Close(r.d.ID)
	if p, ok := r.port.(*meetingPort); ok {
		p.end()
	}
	r.table.awaitsNobody(r.d)
}

// giveUp cuts a relay whose client has come and whose server has not, when its
// session has no use for it any more.
func (r *relay) giveUp() {
	if _, ok := r.port.(*meetingPort); ok && r.unsettled() {
		r.cut()
	}
}

// connectTimeout bounds the wait for the other side. A server that connects itself may
// do so as long as its promise lasts.
func (r *relay) connectTimeout() time.Duration {
	if _, ok := r.port.(*meetingPort); ok {
		return time.Until(r.d.Until)
	}
	return relayDialTimeout
}
