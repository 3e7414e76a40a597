package algtest

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/netip"
	"sort"
	"sync"
	"syscall"

	"ftpalg/alg"
	"ftpalg/alg/expect"
)

// Kernel is an alg.Kernel that opens nothing and writes down what it was
// asked.
type Kernel struct {
	// Address is the gateway's own address towards servers.
	Address netip.Addr
	// FailOpen, if set, is what Open answers.
	FailOpen func(expect.Expectation) error
	// FailDial, if set, is what Dial of a DataPort answers.
	FailDial func(expect.Expectation) error

	mu      sync.Mutex
	port    uint16
	servers chan *Conn
	dials   []alg.Dial
	open    map[expect.ID]expect.Expectation
	history []expect.Expectation
	ports   []*DataPort
	// connected are the data connections that Connect has made.
	connected chan Connected
}

// NewKernel returns a Kernel whose servers are played by whoever calls
// Server.
func NewKernel(address netip.Addr) *Kernel {
	return &Kernel{Address: address, port: 40000, servers: make(chan *Conn, 1024), open: make(map[expect.ID]expect.Expectation), connected: make(chan Connected, 16)}
}

// Dial makes a connection whose other end Server returns.
func (k *Kernel) Dial(ctx context.Context, d alg.Dial) (alg.Conn, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dials = append(k.dials, d)
	from := k.Address
	if d.Source.IsValid() {
		from = d.Source
	}
	k.port++
	ours, theirs := Pipe(netip.AddrPortFrom(from, k.port), d.Server)
	select {
	case k.servers <- theirs:
		return ours, nil
	default:
		return nil, syscall.ECONNREFUSED
	}
}

// Refuse makes a Kernel whose servers do not answer.
func (k *Kernel) Refuse() { k.servers = nil }

// Server waits for the next connection that the gateway dials.
func (k *Kernel) Server() *Conn { return <-k.servers }

// Open notes e.
func (k *Kernel) Open(ctx context.Context, e expect.Expectation) error {
	if k.FailOpen != nil {
		if err := k.FailOpen(e); err != nil {
			return err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, twice := k.open[e.ID]; twice || e.ID == 0 {
		return errors.New("algtest: an expectation needs an ID of its own")
	}
	k.open[e.ID] = e
	k.history = append(k.history, e)
	return nil
}

// Close forgets an expectation.
func (k *Kernel) Close(id expect.ID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.open, id)
}

// End forgets what of the session's relayed promises is left, which may be used until
// then. Everything else has been closed before.
func (k *Kernel) End(session uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.open, func(_ expect.ID, e expect.Expectation) bool { return e.Relayed && e.Session == session })
}

// Standing returns what is open, oldest first.
func (k *Kernel) Standing() []expect.Expectation {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]expect.Expectation, 0, len(k.open))
	for _, e := range k.open {
		out = append(out, e)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}

// Dials returns every Dial that was asked for.
func (k *Kernel) Dials() []alg.Dial {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]alg.Dial(nil), k.dials...)
}

// Connect makes a data connection whose other end Waiting returns.
func (k *Kernel) Connect(ctx context.Context, e expect.Expectation) (alg.Conn, error) {
	if k.FailDial != nil {
		if err := k.FailDial(e); err != nil {
			return nil, err
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.port++
	ours, theirs := Pipe(netip.AddrPortFrom(e.Seen, k.port), e.Target)
	select {
	case k.connected <- Connected{e, theirs}:
	default: // nobody asks for them
		go io.Copy(io.Discard, theirs)
	}
	return ours, nil
}

// Connected is a data connection that the gateway has made, with its other end.
type Connected struct {
	expect.Expectation
	Conn *Conn
}

// Waiting waits for the next data connection that the gateway makes by Connect.
func (k *Kernel) Waiting() Connected { return <-k.connected }
