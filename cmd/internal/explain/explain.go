package explain

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"ftpalg/cmd/internal/config"
)

// ErrQuestion marks a question that nothing can be said to.
var ErrQuestion = errors.New("cannot be explained")

// Question is whom to explain the configuration for.
type Question struct {
	// Client is the client's address, as its packets arrive here.
	Client netip.Addr
	// Server is where the client connects to, of its own family: a listener's
	// address, or that of a server beyond. The zero AddrPort leaves it open.
	Server netip.AddrPort
	// Interface is where the client's packets come in; "" leaves it open.
	Interface string
	// Source returns the address from which this machine reaches another, by
	// its routing table.
	Source func(netip.Addr) (netip.Addr, error)
	// Now is when.
	Now time.Time
}

// Answer is what a configuration means for a client.
type Answer struct {
	Client netip.Addr `json:"client"`
	// Listeners are all of them, in the order of the configuration.
	Listeners []Listener `json:"listeners"`
}

// Listener is one listener's answer.
type Listener struct {
	Name string `json:"name"`
	// Takes says that it takes connections of the client; Why says which, or
	// why not.
	Takes bool   `json:"takes"`
	Why   string `json:"why"`
	// NeedsServer says that it depends on where the client connects to.
	NeedsServer bool `json:"needs_server"`
	// Sessions are those that the client can have through it, one for each
	// address at which it reaches the listener.
	Sessions []Session `json:"sessions"`
}

// Taken reports whether any listener takes the client.
func (a Answer) Taken() bool {
	return slices.ContainsFunc(a.Listeners, func(l Listener) bool { return l.Takes })
}

// NeedsServer reports whether a listener might take the client, depending on
// where it connects to.
func (a Answer) NeedsServer() bool {
	return slices.ContainsFunc(a.Listeners, func(l Listener) bool { return l.NeedsServer })
}

// Explain answers q. The error wraps ErrQuestion where q contradicts itself.
func Explain(c *config.Config, q Question) (Answer, error) {
	q.Client = q.Client.Unmap()
	q.Server = netip.AddrPortFrom(q.Server.Addr().Unmap(), q.Server.Port())
	if err := q.check(); err != nil {
		return Answer{}, err
	}
	a := Answer{Client: q.Client}
	for i := range c.Listeners {
		l, err := q.listener(c, &c.Listeners[i])
		if err != nil {
			return Answer{}, err
		}
		a.Listeners = append(a.Listeners, l)
	}
	return a, nil
}

func (q Question) check() error {
	switch {
	case !q.Client.IsValid() || q.Client.IsUnspecified() || q.Client.IsMulticast() || q.Client.Zone() != "":
		return fmt.Errorf("%w: %s is not the address of a client", ErrQuestion, q.Client)
	case q.Server.IsValid() && q.Server.Addr().Is4() != q.Client.Is4():
		return fmt.Errorf("%w: client %s cannot connect to %s, which is of the other address family", ErrQuestion, q.Client, q.Server.Addr())
	}
	return nil
}
