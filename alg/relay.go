package alg

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// DataPort is where the gateway itself meets the promised host of a data
// connection that it relays, and from where it goes on to the target. Its
// methods are safe for concurrent use.
type DataPort interface {
	// Accept waits for the next connection, until Close.
	Accept() (Conn, error)
	// Dial connects to the target of the promise. Peer is where the promised
	// host's connection comes from. It works once.
	Dial(ctx context.Context, peer netip.AddrPort) (Conn, error)
	// Close ends Accept, and nothing else. It may be called again.
	Close() error
}

const (
	// relaySilence is how long the rest of a data connection may carry nothing
	// once one direction has ended, or its session: connection tracking gives
	// one half closed the same time (nf_conntrack_tcp_timeout_fin_wait).
	relaySilence = 2 * time.Minute
	// relayDialTimeout bounds the connecting to the target.
	relayDialTimeout = 30 * time.Second
	// dataHandshakeTimeout bounds the handshakes of a data connection: clients
	// begin them at once, or when the transfer has begun.
	dataHandshakeTimeout = 5 * time.Minute
	// settleTimeout is how long a final reply waits for the client to be
	// connected.
	settleTimeout = 5 * time.Second
	// acceptPause is how long a connection that cannot be taken waits.
	acceptPause = 100 * time.Millisecond
	// smallChunk and largeChunk bound what is carried between two counts, in
	// bytes.
	smallChunk, largeChunk = 4 << 10, 8 << 20
	// chunkTime is how long one chunk should take.
	chunkTime = 200 * time.Millisecond
)

// relay carries one data connection through this process: it admits the
// promised host, once, connects to the target, and copies in both directions.
// Between two TCP connections Go has the kernel move the bytes (splice(2)).
type relay struct {
	table *dataTable
	d     *dataConn
	port  DataPort
	log   *slog.Logger
	// protect puts TLS on the client's side, nil for none; mustResume asks for
	// the session of the control connection.
	protect    *tls.Config
	mustResume bool
	// server is how TLS is put on the server's side, nil for none.
	server *tls.Config

	// proxy is how the PROXY protocol is spoken, nil for not at all; client is whose
	// connection a balancer must have made where the client is behind one, and
	// reached where it thinks the server is.
	proxy   *ProxyProtocol
	behind  bool
	client  netip.Addr
	reached netip.AddrPort

	// settled is closed when the target is connected, or never will be.
	settled chan struct{}
	settle  func()
	// ctx ends when the relay is cut.
	ctx    context.Context
	cancel context.CancelFunc

	// sent and received are in bytes, as the promised host counts them.
	sent, received atomic.Uint64
	ending         atomic.Bool   // one direction has ended
	looked         atomic.Uint64 // sent and received at the last look
	notResumed     atomic.Bool   // it was ended by errNotResumed
	gaveUp         atomic.Bool   // a reply has waited for it

	mu    sync.Mutex
	conns []Conn // that a cut resets
	isCut bool
	watch *time.Timer
}

func newRelay(t *dataTable, d *dataConn, log *slog.Logger) *relay {
	r := &relay{table: t, d: d, log: log, settled: make(chan struct{})}
	r.settle = sync.OnceFunc(func() { close(r.settled) })
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

// run carries the data connection until it ends, or until its promise does
// without one.
func (r *relay) run() {
	defer r.cancel()
	defer r.settle()
	peer := r.admit()
	if peer == nil {
		r.end()
		return
	}
	r.table.relayed(r, DataConnected)
	r.carry(peer)
	r.table.relayed(r, DataClosed)
}

// admit waits for the promised host; nobody else is let in. It returns nil
// when the promise has ended.
func (r *relay) admit() Conn {
	for {
		c := acceptFrom(r.ctx, r.port, r.d.From, r.d.Reached, r.log)
		if c == nil || !r.behind || !r.d.Mode.Passive() || r.admitBehind(c) {
			r.port.Close()
			return c
		}
	}
}

// acceptFrom waits for the connection of one host. It returns nil when the port was
// closed before.
func acceptFrom(ctx context.Context, port DataPort, from netip.Addr, at netip.AddrPort, log *slog.Logger) Conn {
	for {
		c, err := port.Accept()
		switch {
		case isTemporary(err) && sleep(ctx, acceptPause):
			continue
		case err != nil:
			return nil
		}
		if addrPort(c.RemoteAddr()).Addr() == from {
			return c
		}
		abort(c)
		log.Warn("a host that was not promised a data connection was turned away", "event", "data_stranger",
			"host", c.RemoteAddr(), "promised", from, "at", at)
	}
}

// carry joins the promised host's connection with one to the target.
func (r *relay) carry(peer Conn) {
	if !r.hold(peer) {
		r.end()
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, r.connectTimeout())
	target, err := r.port.Dial(ctx, addrPort(peer.RemoteAddr()))
	cancel()
	r.settle()
	r.end()
	if err != nil {
		r.noteUnreachable(r.d.Target, err)
		r.cut()
		return
	}
	if !r.hold(target) {
		return
	}
	if r.d.Mode.Passive() && r.d.server == nil {
		err = r.writeHeader(target, r.from(peer))
	}
	defer r.watched().Stop()
	if err != nil {
		r.cut()
		return
	}
	if peer, target, err = r.secure(peer, target); err != nil {
		r.log.Info("data connection ends", "event", "data_tls_failed", "mode", r.d.Mode, "error", err)
		r.cut()
		return
	}
	var back sync.WaitGroup
	back.Go(func() { r.pass(target, peer, &r.received) })
	r.pass(peer, target, &r.sent)
	back.Wait()
	peer.Close()
	target.Close()
}

// from returns the client's address of a data connection that it has made.
func (r *relay) from(peer Conn) netip.AddrPort {
	from := addrPort(peer.RemoteAddr())
	if r.behind {
		return netip.AddrPortFrom(r.client, from.Port())
	}
	return from
}

func (r *relay) noteUnreachable(target netip.AddrPort, err error) {
	r.log.Warn("the target of a data connection cannot be reached", "event", "data_unreachable",
		"mode", r.d.Mode, "target", target, "error", err)
}

// secure puts TLS on the sides that want it. Towards the client the gateway is
// the server of the handshake, towards the server the client, whoever has
// connected (RFC 4217 section 7). Both go on side by side: either peer may begin as
// soon as it is connected, or wait for the transfer's first reply.
func (r *relay) secure(peer, target Conn) (securedPeer, securedTarget Conn, err error) {
	ctx, cancel := context.WithTimeout(r.ctx, dataHandshakeTimeout)
	defer cancel()
	client, server := &peer, &target
	if !r.d.Mode.Passive() {
		client, server = server, client
	}
	var failed error
	var other sync.WaitGroup
	if r.server != nil {
		other.Go(func() {
			t := clientTLS(*server, r.server)
			if failed = t.HandshakeContext(ctx); failed == nil {
				r.table.secured(r.d, FromServer, describeTLS(t.ConnectionState()))
				*server = t
			}
		})
	}
	if r.protect != nil {
		err = r.secureClient(ctx, client)
	}
	if err != nil {
		cancel() // the other handshake
	}
	other.Wait()
	if err == nil && failed != nil {
		err = fmt.Errorf("%w: %w", errServerTLS, failed)
	}
	return peer, target, err
}

func (r *relay) secureClient(ctx context.Context, client *Conn) error {
	t, err := serveTLS(ctx, *client, r.protect)
	if err != nil {
		return err
	}
	i := describeTLS(t.ConnectionState())
	r.table.secured(r.d, FromClient, i)
	if r.mustResume && !i.Resumed {
		r.notResumed.Store(true)
		return errNotResumed
	}
	*client = t
	return nil
}

// hold enters a connection among those that a cut resets. After a cut it is
// reset at once, and hold reports false.
func (r *relay) hold(c Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.isCut {
		abort(c)
		return false
	}
	r.conns = append(r.conns, c)
	return true
}

// cut ends the data connection with a reset on both sides.
func (r *relay) cut() {
	r.port.Close()
	r.cancel()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.isCut = true
	for _, c := range r.conns {
		abort(c)
	}
	r.conns = nil
}

// pass carries one direction to its end: an orderly end is passed on as such,
// anything else cuts the connection, so that no peer takes a part for the
// whole.
func (r *relay) pass(from, to Conn, carried *atomic.Uint64) {
	err := r.copy(from, to, carried)
	switch {
	case errors.Is(err, errCutShort) && r.ending.Load():
		// The other direction had ended: nothing of it can be missing.
	case err != nil:
		r.noteCut(err)
		r.cut()
		return
	}
	r.ending.Store(true)
	to.CloseWrite()
}

// noteCut logs that a stream under TLS ended without its close_notify.
func (r *relay) noteCut(err error) {
	if errors.Is(err, errCutShort) || errors.Is(err, io.ErrUnexpectedEOF) {
		r.table.truncated.Add(1)
		r.log.Warn("a data connection under TLS was cut short, and is cut on the other side too", "event", "data_truncated",
			"mode", r.d.Mode, "carried", r.sent.Load()+r.received.Load())
	}
}

// look cuts the connection when what is left of it has carried nothing since
// the last look.
func (r *relay) look() {
	now := r.sent.Load() + r.received.Load()
	if now == r.looked.Swap(now) && (r.ending.Load() || r.table.isReleased(r.d)) {
		r.log.Info("the rest of a data connection carries nothing", "event", "data_silent", "silent", relaySilence)
		r.cut()
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watch.Reset(relaySilence)
}

// watched begins to look, until the timer that it returns is stopped.
func (r *relay) watched() *time.Timer {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watch = time.AfterFunc(relaySilence, r.look)
	return r.watch
}

// awaitSettled keeps the reply that ends a transfer from overtaking its data
// connection: an active server has connected to us, has sent a small file and
// says so, while we still connect to its client. Curl, for one, gives up then.
// Mu, which the caller holds, is free meanwhile.
func (s *session) awaitSettled(reply []byte) {
	if reply[0] != '2' || !s.dialogue.Transferring() {
		return
	}
	for _, d := range s.open {
		if d.relay != nil && (!d.Mode.Passive() || d.server != nil) && d.relay.unsettled() {
			s.mu.Unlock()
			d.relay.await(s.ctx)
			s.mu.Lock()
			return
		}
	}
}

func (r *relay) unsettled() bool {
	if r.gaveUp.Load() {
		return false
	}
	select {
	case <-r.settled:
		return false
	default:
		return true
	}
}

// await waits until the relay is settled, but not for ever, and not again.
func (r *relay) await(ctx context.Context) {
	late := time.NewTimer(settleTimeout)
	defer late.Stop()
	select {
	case <-r.settled:
	case <-late.C:
	case <-ctx.Done():
	}
	r.gaveUp.Store(true)
}

// isReleased reports whether its session has given d up.
func (t *dataTable) isReleased(d *dataConn) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return d.released
}

// cutSession cuts the relayed data connections of a session, cutAll those of
// every session.
func (t *dataTable) cutSession(number uint64) {
	t.cutRelays(func(d *dataConn) bool { return d.Session == number })
}

func (t *dataTable) cutAll() { t.cutRelays(func(*dataConn) bool { return true }) }

func (t *dataTable) cutRelays(of func(*dataConn) bool) {
	t.mu.Lock()
	var all []*relay
	for _, d := range t.conns {
		if d.relay != nil && of(d) {
			all = append(all, d.relay)
		}
	}
	t.mu.Unlock()
	for _, r := range all {
		r.cut()
	}
}
