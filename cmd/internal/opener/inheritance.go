package opener

import (
	"net/netip"

	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/config"
	"ftpalg/rules"
)

// Offer is what a successor must be able to take over.
type Offer struct {
	// Text is the configuration that is in force.
	Text []byte
	// Snapshot is the version of the sessions' state (alg.SnapshotVersion).
	Snapshot int
}

// Inheritance is what an opener knows, without the descriptors.
type Inheritance struct {
	LastSocket uint32
	Sockets    []InheritedSocket
	Sessions   []InheritedSession
	// Pinholes are in the kernel.
	Pinholes []rules.Pinhole
}

// InheritedSocket is a listening socket, which comes as a KeptSocket.
type InheritedSocket struct {
	Number uint32
	// Kind, Addr and Name are those of its endpoint, At where it listens.
	Kind     uint8
	Addr, At netip.AddrPort
	Name     string
}

// InheritedSession is a session of the ledger, with its promises.
type InheritedSession struct {
	Number                        uint64
	Listener                      string
	Client, Reached, Server, Seen netip.AddrPort
	Balancer                      netip.AddrPort
	Promises                      []InheritedPromise
}

// InheritedPromise is one that is open.
type InheritedPromise struct {
	expect.Expectation
	// Ours says that its port is of our ranges.
	Ours bool
}

// bequeath returns what a successor of this opener must know: of the sessions,
// those that are kept.
func (o *Opener) bequeath(kept map[uint64]bool, pinholes []rules.Pinhole) Inheritance {
	o.mu.Lock()
	defer o.mu.Unlock()
	in := Inheritance{LastSocket: o.lastSocket, Pinholes: pinholes, Sessions: o.ledger.bequeath(kept)}
	for e, s := range o.sockets {
		in.Sockets = append(in.Sockets, InheritedSocket{Number: s.number, Kind: uint8(e.kind), Addr: e.addr, At: s.at, Name: e.name})
	}
	return in
}

func (l *ledger) bequeath(kept map[uint64]bool) (out []InheritedSession) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for number, s := range l.sessions {
		if !kept[number] {
			continue
		}
		one := InheritedSession{Number: number, Listener: s.listener.Name, Client: s.client, Reached: s.reached, Server: s.server, Seen: s.seen, Balancer: s.balancer}
		for _, p := range s.promises {
			one.Promises = append(one.Promises, InheritedPromise{p.Expectation, p.ours})
		}
		out = append(out, one)
	}
	return out
}

// inherit enters the sessions of a predecessor, which began with the
// configuration c.
func (l *ledger) inherit(all []InheritedSession, c *config.Config) error {
	for _, one := range all {
		s := &session{
			number: one.Number, listener: listenerOf(c, one.Listener), config: c,
			client: one.Client, reached: one.Reached, server: one.Server, seen: one.Seen, balancer: one.Balancer,
		}
		if err := l.begin(s); err != nil {
			return err
		}
		for _, p := range one.Promises {
			s.promises[p.ID] = &promise{Expectation: p.Expectation, ours: p.Ours, dialed: true}
			l.owners[p.ID] = s
		}
	}
	return nil
}

// listenerOf returns a listener by its name; one that a reload has taken away
// allows nothing new.
func listenerOf(c *config.Config, name string) *config.Listener {
	for i := range c.Listeners {
		if c.Listeners[i].Name == name {
			return &c.Listeners[i]
		}
	}
	return &config.Listener{Name: name}
}
