package alg

import (
	"net/netip"
	"time"

	"ftpalg/alg/expect"
)

// Traffic is what a data connection has carried, in bytes: with the headers of
// IP and TCP where the kernel forwards it, without them where it is relayed.
type Traffic struct {
	FromClient uint64 `json:"from_client"`
	FromServer uint64 `json:"from_server"`
	// Counted is false where the kernel does not count.
	Counted bool `json:"counted"`
}

// grow takes in by how much a part of it has grown.
func (t *Traffic) grow(before, now Traffic) {
	t.FromClient += now.FromClient - before.FromClient
	t.FromServer += now.FromServer - before.FromServer
	t.Counted = true
}

// DataState says where a data connection is in its life. The values are
// stable.
type DataState string

// The states of a data connection. It goes from DataOffered to DataOpen, from
// there to DataConnected, DataExpired or DataWithdrawn, and from DataConnected
// to DataClosed, or back to DataOpen if the attempt to connect failed.
const (
	DataOffered   DataState = "offered"   // translated; the kernel has not confirmed it
	DataOpen      DataState = "promised"  // the kernel admits it; no connection has come
	DataConnected DataState = "connected" // its first packet has come
	DataClosed    DataState = "closed"    // it has ended
	DataExpired   DataState = "expired"   // no connection came in time
	DataWithdrawn DataState = "withdrawn" // it was taken back before a connection came
)

// DataConnection describes one data connection of a session.
type DataConnection struct {
	Pinhole  expect.ID      `json:"pinhole"`
	Mode     expect.Mode    `json:"mode"`
	From     netip.Addr     `json:"from"`
	Reached  netip.AddrPort `json:"to"`
	Target   netip.AddrPort `json:"target"`
	Seen     netip.Addr     `json:"seen"`
	Promised time.Time      `json:"promised"`
	State    DataState      `json:"state"`
	// Relayed says that the data passes through this process.
	Relayed bool `json:"relayed,omitempty"`
	// ServerMode is how the server's side is made where that is not Mode: an
	// active client's server may be passive.
	ServerMode expect.Mode `json:"server_mode,omitzero"`
	// TLS is that of the client's side, ServerTLS that of the server's; nil for
	// none.
	TLS       *TLSInfo `json:"tls,omitempty"`
	ServerTLS *TLSInfo `json:"server_tls,omitempty"`
	// Command and File are those of the transfer that it was used for.
	Command string `json:"command,omitempty"`
	File    string `json:"file,omitempty"`
	Traffic
}

// dataConn is one data connection, from its announcement until nothing more
// can be told of it. The table's mu guards all that changes.
type dataConn struct {
	expect.Expectation
	// announcement is the dialogue's number of it.
	announcement uint64
	// leased is the port that was taken from the pool, 0 if none was.
	leased  uint16
	host    netip.Addr // the clientHost that holds it
	session *sessionData
	relay   *relay // nil where the kernel forwards it
	// server is the server's side where its mode is another, else nil; told is then
	// what a client that connects is to be told.
	server *serverSide
	told   netip.AddrPort
	// tls is that of the client's side, serverTLS of the server's; nil for none.
	tls, serverTLS *TLSInfo

	opened        time.Time
	state         DataState
	command, file string
	traffic       Traffic

	// awaits says that its relay waits for somebody at its port.
	awaits bool
	// withdrawn says that the kernel no longer admits a connection for it.
	withdrawn bool
	// released says that the session has given it up: its port is free.
	released bool
	// final says that the kernel has nothing more to tell of it.
	final bool
	// transfer has ended and waits until countBy for the kernel's count.
	transfer *Transfer
	countBy  time.Time
	// timer runs until the pinhole expires or countBy, whichever is next.
	timer *time.Timer
}

// keptData is how many data connections of a session are remembered.
const keptData = 8

// sessionData are the latest data connections of a session, oldest first, and
// what all of them have carried. The table's mu guards it.
type sessionData struct {
	latest []*dataConn
	total  Traffic
	// uncounted is how many transfers wait for the kernel's count; whenCounted
	// is called when none does any more.
	uncounted   int
	whenCounted func()
	// transferring reports whether a transfer of the session runs.
	transferring func() bool
}

// describe returns what others may know of d. The caller holds the table's mu.
func (d *dataConn) describe() DataConnection {
	i := DataConnection{
		Pinhole: d.ID, Mode: d.Mode, From: d.From, Reached: d.Reached, Target: d.Target, Seen: d.Seen,
		Promised: d.opened, State: d.state, Relayed: d.Expectation.Relayed, TLS: d.tls, ServerTLS: d.serverTLS, Command: d.command, File: d.file, Traffic: d.traffic,
	}
	if d.server != nil {
		i.ServerMode = d.server.Mode
	}
	return i
}

// release notes that the session has given d up, and returns how its pinhole
// has ended: one whose connection has come was used, whatever the reason. The
// caller holds the table's mu.
func (d *dataConn) release(how End) End {
	d.released = true
	switch {
	case d.state != DataOpen:
		return EndUsed
	case how == EndUsed:
		d.state = DataClosed
		d.awaitCount() // the kernel's events may be on the way
	case how == EndExpired:
		d.state, d.final = DataExpired, true
	default:
		d.state, d.final = DataWithdrawn, true
	}
	return how
}

// mayYetCome reports whether the connection of d, which is released, may wait
// to be taken: where it is relayed, the server can have sent a small file and
// said so before the relay had its turn. One whose count was waited for in vain has
// had it. The caller holds the table's mu.
func (d *dataConn) mayYetCome(how End) bool {
	return d.relay != nil && d.state == DataOpen && how == EndUsed && !d.final
}

// awaitCount gives the kernel time to tell more of d. The caller holds the
// table's mu.
func (d *dataConn) awaitCount() {
	if d.countBy.IsZero() {
		d.countBy = time.Now().Add(countTimeout)
	}
}

// takeTransfer returns the transfer that waits for d's count, with it, or nil.
// The caller holds the table's mu.
func (d *dataConn) takeTransfer() *Transfer {
	t := d.transfer
	if t != nil {
		t.measure(d)
		d.transfer = nil
	}
	return t
}

// nextTimeout returns when d's timer must run out, the zero time for never.
// The caller holds the table's mu.
func (d *dataConn) nextTimeout() time.Time {
	if d.withdrawn || !d.countBy.IsZero() && d.countBy.Before(d.Until) {
		return d.countBy
	}
	return d.Until
}
