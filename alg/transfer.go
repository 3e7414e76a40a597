package alg

import (
	"net/netip"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
)

// Transfer is one transfer that has ended. Name and user are the peers' own
// words, in any bytes.
type Transfer struct {
	dialogue.Transfer
	Session        uint64
	Listener       string
	Client, Server netip.AddrPort
	// Pinhole is that of its data connection and Mode how that was announced;
	// both are 0 if the gateway opened none.
	Pinhole expect.ID
	Mode    expect.Mode
	Began   time.Time
	// Duration is from the server's preliminary reply to its final one.
	Duration time.Duration
	// Traffic is what the kernel has counted by the end of the data
	// connection, or within countTimeout of the transfer's end.
	Traffic Traffic
	// Relayed says that it passed through this process. TLS is that of the
	// client's side of its data connection, ServerTLS of the server's; nil for none.
	Relayed        bool
	TLS, ServerTLS *TLSInfo
}

// measure notes what is known of the data connection at its end. The caller holds
// the table's mu.
func (t *Transfer) measure(d *dataConn) {
	t.Traffic, t.Relayed, t.TLS, t.ServerTLS = d.traffic, d.relay != nil, d.tls, d.serverTLS
}

// countTimeout is how long the report of a transfer waits for the kernel's
// count: the end of a data connection is noticed within half a second, the
// server's reply comes at once.
const countTimeout = 2 * time.Second

// runningTransfer is a transfer that goes on, data its data connection, nil if
// the gateway opened none.
type runningTransfer struct {
	*dialogue.Transfer
	data  *dataConn
	began time.Time
}

// followTransfer notes what a line of the server says of transfers. It must
// come before the data connections of ended ones are released. The caller
// holds mu.
func (s *session) followTransfer(v dialogue.Verdict) {
	if t := v.Ended; t != nil {
		if s.transfer.Load() == nil {
			s.beginTransfer(t, t.Complete) // no preliminary reply
		}
		s.endTransfer()
	}
	if v.Begun != nil {
		s.endTransfer() // the server has forgotten to end it
		s.beginTransfer(v.Begun, true)
	}
}

// beginTransfer notes a transfer, and if it is one that carries data has its relay
// know.
func (s *session) beginTransfer(t *dialogue.Transfer, carries bool) {
	r := &runningTransfer{Transfer: t, began: time.Now()}
	for _, d := range s.open {
		if d.announcement == t.Number {
			r.data = d
			s.g.data.startTransfer(d, t)
			if carries && d.relay != nil {
				d.relay.begin()
			}
		}
	}
	s.transfer.Store(r)
}

// endTransfer reports the running transfer, if there is one. The caller holds
// mu or is the last to run.
func (s *session) endTransfer() {
	r := s.transfer.Swap(nil)
	if r == nil {
		return
	}
	s.transfers.Add(1)
	ended := Transfer{
		Transfer: *r.Transfer, Session: s.number, Listener: s.service.Name,
		Client: s.ends.Client, Server: s.ends.Server, Began: r.began, Duration: time.Since(r.began),
	}
	if r.data != nil {
		ended.Pinhole, ended.Mode = r.data.ID, r.data.Mode
	}
	s.g.data.endTransfer(r.data, ended)
}
