package link

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"ftpalg/alg/expect"
)

// Op says what a Record means.
type Op uint8

// What the worker asks. Connect, Promise, Relay, DialData, ConnectData, Probe, the questions, Reload and OpenLog
// are answered, by an Answer with the same Request.
const (
	// Connect begins a session: Session is its number, Socket the listening
	// socket it came to, and the file its client's connection; Client is the
	// client where a balancer has made that and named it. The answer
	// brings the connection to the server.
	Connect Op = iota + 1
	// Promise asks for a pinhole: Session, ID, Mode, Target, and the Port that
	// is promised.
	Promise
	// Relay is Promise for a data connection that the worker carries; the
	// answer brings a listening socket for the promised host.
	Relay
	// DialData connects to the target of the relayed promise ID, once; Port is
	// that from which the promised host came. The answer brings the connection.
	DialData
	// ConnectData makes a data connection of Session, in Mode, to where a host of the
	// session waits: Target. The answer brings the connection.
	ConnectData
	// Probe connects to Target, one of the servers of the listener of Socket,
	// to see whether it answers. The answer brings the connection.
	Probe
	// AskPinholes, AskRules (of the pinhole ID), AskStatus and AskAddresses are
	// answered with a text.
	AskPinholes
	AskRules
	AskStatus
	AskAddresses
	// Reload reads the configuration file again.
	Reload
	// OpenLog asks for the transfer log, opened anew.
	OpenLog
	// Withdraw ends the promise ID.
	Withdraw
	// EndSession ends a session with all its promises.
	EndSession
	// Cut has the kernel forget the data connections of a session.
	Cut
	// SocketFailed says that a listening socket accepts no more.
	SocketFailed
	// Configured says that the last configuration is in force, or with a
	// Code that it cannot be; Alive answers Ping.
	Configured
	Alive
)

// What the opener says.
const (
	// Answer answers a Request: with a Code other than 0 it failed, and the
	// text says why.
	Answer Op = iota + 64
	// ListeningSocket hands over a socket of the next configuration.
	ListeningSocket
	// Configure puts the configuration of its text in force.
	Configure
	// Connected, Reopened, Carrying and Disconnected tell of the data
	// connection of a promise (package rules).
	Connected
	Reopened
	Carrying
	Disconnected
	// Drifted says that Count rules were repaired, RulesFailed why rules
	// cannot be.
	Drifted
	RulesFailed
	// Reloaded tells the outcome of a reload: its text is empty, or says why the
	// running configuration stays in force.
	Reloaded
	// Reopen asks for the transfer log to be opened anew.
	Reopen
	// Stop asks the worker to let its sessions end, and then to end.
	Stop
	// Ping is to be answered.
	Ping
)

// What hands a running gateway over to its successor: from the worker to its
// opener, from there to the successor's opener, and on to its worker.
const (
	// Upgrade, of the worker, asks for that, and is answered. With Code 1 it is
	// Reload where the running program is the one that is installed.
	Upgrade Op = iota + 128
	// Park, of the opener, brings the sessions to rest. Its file is for the
	// snapshot (alg.Snapshot).
	Park
	// Kept hands over a connection of Session: its client's, with Code 1 its
	// server's. KeptSocket hands over the listening socket Socket.
	Kept
	KeptSocket
	// Parked says that everything has been handed over.
	Parked
	// Resume lets the sessions go on, in the process that hears it: in that
	// which had parked them, where nobody succeeds, or in the successor.
	Resume
	// Leave says that the sessions are the successor's now.
	Leave
	// Offer asks the successor's opener whether it could take over: its text is
	// an opener.Offer. It says Accepted, and is handed over the sockets, the
	// connections, the Claim on the network namespace, the Snapshot, and what
	// Inherit has as its text, an opener.Inheritance.
	Offer
	Accepted
	Claim
	Snapshot
	Inherit
	// Prepared, of the successor's opener, says that its worker could resume
	// the sessions; Failed why there will be no successor.
	Prepared
	Failed
)

// Record is one message. Which fields count depends on Op.
type Record struct {
	Op      Op
	Code    uint8
	Mode    expect.Mode
	Counted bool
	Socket  uint32
	Request uint64
	Session uint64
	ID      expect.ID
	Target  netip.AddrPort
	Client  netip.AddrPort
	Port    uint16
	// Count, and Sent and Received in bytes.
	Count, Sent, Received uint64
	// Took is in nanoseconds.
	Took int64
}

// Size is that of an encoded Record, in bytes.
const Size = 112

// errRecord says that what was received is no record.
var errRecord = errors.New("malformed record")

// append appends r to b.
func (r *Record) append(b []byte) []byte {
	b = append(b, byte(r.Op), r.Code, byte(r.Mode), flag(r.Counted))
	b = binary.LittleEndian.AppendUint32(b, r.Socket)
	for _, v := range []uint64{r.Request, r.Session, uint64(r.ID), r.Count, r.Sent, r.Received, uint64(r.Took)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	b = binary.LittleEndian.AppendUint16(appendAddress(b, r.Target), r.Port)
	b = appendAddress(b, r.Client)
	return append(b, make([]byte, Size-102)...)
}

func appendAddress(b []byte, a netip.AddrPort) []byte {
	host := a.Addr().As16()
	return binary.LittleEndian.AppendUint16(append(b, host[:]...), a.Port())
}

func flag(v bool) byte {
	if v {
		return 1
	}
	return 0
}

// parse reads a record, b being Size long. An address of all zeros is none.
func parse(b []byte) Record {
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8+8*i:]) }
	r := Record{
		Op: Op(b[0]), Code: b[1], Mode: expect.Mode(b[2]), Counted: b[3] != 0, Socket: binary.LittleEndian.Uint32(b[4:]),
		Request: word(0), Session: word(1), ID: expect.ID(word(2)), Count: word(3), Sent: word(4), Received: word(5), Took: int64(word(6)),
		Port: binary.LittleEndian.Uint16(b[82:]),
	}
	r.Target, r.Client = parseAddress(b[64:]), parseAddress(b[84:])
	return r
}

func parseAddress(b []byte) netip.AddrPort {
	a := netip.AddrFrom16([16]byte(b[:16])).Unmap()
	if a == netip.IPv6Unspecified() {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(a, binary.LittleEndian.Uint16(b[16:]))
}
