package alg

import (
	"time"

	"ftpalg/alg/expect"
)

// What is told of data connections: by the kernel, and of those that are
// relayed by their relay.

// update is change for what the kernel tells. Of a data connection that is
// relayed it sees one part.
func (t *dataTable) update(id expect.ID, change func(*dataConn) *Transfer) {
	t.change(id, func(d *dataConn) *Transfer {
		if d.relay != nil {
			return nil
		}
		return change(d)
	})
}

// change changes the data connection of a pinhole of which more may yet be
// told, and reports the transfer that change returns.
func (t *dataTable) change(id expect.ID, change func(*dataConn) *Transfer) {
	t.mu.Lock()
	d := t.conns[id]
	if d == nil || d.final {
		t.mu.Unlock()
		return
	}
	ended := change(d)
	t.schedule(d)
	t.mu.Unlock()
	t.reportTransfer(d.session, ended)
}

// Connected notes that the kernel has seen the connection of a pinhole.
func (g *Gateway) Connected(id expect.ID) {
	g.data.update(id, func(d *dataConn) *Transfer {
		d.state = DataConnected
		return nil
	})
}

// Reopened notes that the connection of a pinhole was not established and that
// the kernel admits another one. If the session has released the pinhole, its
// data connection has ended.
func (g *Gateway) Reopened(id expect.ID) {
	g.data.update(id, func(d *dataConn) *Transfer {
		d.state, d.traffic = DataOpen, Traffic{}
		if d.released {
			d.state, d.final = DataWithdrawn, true
		}
		return nil
	})
}

// Carried notes what the data connection of a pinhole has carried so far, in
// bytes that the host which connected has sent and received.
func (g *Gateway) Carried(id expect.ID, sent, received uint64) {
	g.data.update(id, func(d *dataConn) *Transfer {
		g.data.count(d, sent, received)
		return nil
	})
}

// Disconnected notes that the data connection of a pinhole has ended, and how
// many bytes the host that connected has sent and received if the kernel
// counts them.
func (g *Gateway) Disconnected(id expect.ID, sent, received uint64, counted bool) {
	g.data.update(id, func(d *dataConn) *Transfer {
		d.state, d.final, d.countBy = DataClosed, true, time.Time{}
		if counted {
			g.data.count(d, sent, received)
		}
		return d.takeTransfer()
	})
}

// count enters what the host that connected has sent and received. The caller
// holds mu.
func (t *dataTable) count(d *dataConn, sent, received uint64) {
	now := Traffic{FromClient: sent, FromServer: received, Counted: true}
	if !d.Mode.Passive() {
		now.FromClient, now.FromServer = received, sent
	}
	t.total.grow(d.traffic, now)
	d.session.total.grow(d.traffic, now)
	d.traffic = now
}

// relayed notes how far a relay is.
func (t *dataTable) relayed(r *relay, state DataState) {
	t.change(r.d.ID, func(d *dataConn) *Transfer {
		d.state = state
		t.count(d, r.sent.Load(), r.received.Load())
		if state != DataClosed {
			return nil
		}
		d.final, d.countBy = true, time.Time{}
		return d.takeTransfer()
	})
	sent, received := r.sent.Load(), r.received.Load()
	t.observer.Relayed(Relayed{Session: r.d.Session, Pinhole: r.d.ID, State: state, Sent: sent, Received: received})
}

// secured notes the TLS of one side of d.
func (t *dataTable) secured(d *dataConn, side Side, i *TLSInfo) {
	t.mu.Lock()
	if side == FromClient {
		d.tls = i
	} else {
		d.serverTLS = i
	}
	t.mu.Unlock()
	t.observer.Secured(Secured{Session: d.Session, Side: side, Data: true, TLS: *i})
}
