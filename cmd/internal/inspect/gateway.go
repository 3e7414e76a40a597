package inspect

import (
	"net/netip"
	"slices"

	"ftpalg/alg"
	"ftpalg/alg/capture"
	"ftpalg/alg/dialogue"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/daemon"
)

// gateway answers what a gateway with a configuration would have done.
type gateway struct {
	config   *config.Config
	settings alg.Settings
}

// newGateway returns the gateway of c; of nil, one that only refuses what
// every gateway does.
func newGateway(c *config.Config) *gateway {
	g := &gateway{config: c}
	if c != nil {
		g.settings = daemon.Settings(c)
	}
	return g
}

// listener returns the listener that would have served a session, and where
// its client would have reached it: at one of its addresses, or at the server
// itself, if the capture was made behind or without the gateway.
func (g *gateway) listener(client, server netip.AddrPort) (l *config.Listener, reached netip.AddrPort) {
	if g.config == nil {
		return nil, reached
	}
	for i := range g.config.Listeners {
		l := &g.config.Listeners[i]
		if slices.Contains(l.Listen, server) {
			return l, server
		}
	}
	for i := range g.config.Listeners {
		l := &g.config.Listeners[i]
		if l.Transparent == nil && slices.Contains(l.Servers, server) && len(l.Listen) > 0 {
			return l, l.Listen[0]
		}
	}
	for i := range g.config.Listeners {
		l := &g.config.Listeners[i]
		if t := l.Transparent; t != nil && slices.Contains(t.Ports, server.Port()) && config.Within(client.Addr(), t.Clients) && config.Within(server.Addr(), t.Servers) {
			return l, server
		}
	}
	return nil, reached
}

// policy returns the policy of the listener that would have served a session.
func (g *gateway) policy(client, server netip.AddrPort) dialogue.Policy {
	l, _ := g.listener(client, server)
	if l == nil {
		return dialogue.Policy{}
	}
	service := daemon.Service(l)
	return service.PolicyOf(client.Addr(), server.Addr())
}

// answer is what the gateway would have told the other side, as JSON.
type answer struct {
	Listener string `json:"listener,omitempty"`
	// To is who would have been told Address with a port of First to Last.
	To      netip.Addr `json:"to,omitzero"`
	Address netip.Addr `json:"address,omitzero"`
	First   uint16     `json:"first_port,omitempty"`
	Last    uint16     `json:"last_port,omitempty"`
	// Not says why nothing would have been told.
	Not string `json:"not,omitempty"`
}

// answer returns what the gateway would have made of an announcement, nil
// without a configuration.
func (g *gateway) answer(a *capture.Announcement) *answer {
	if g.config == nil {
		return nil
	}
	l, reached := g.listener(a.Session.Client, a.Session.Server)
	if l == nil {
		return &answer{Not: "no listener of the configuration serves this session"}
	}
	out := &answer{Listener: l.Name}
	if a.Reason != dialogue.NoReason {
		out.Not = refusal(a.Reason)
		return out
	}
	service := daemon.Service(l)
	t, err := alg.Translate(service.Endpoints(a.Session.Client, reached), &dialogue.Announcement{Mode: a.Mode, At: a.At}, &g.settings)
	if err != nil {
		out.Not = err.Error()
		return out
	}
	out.To = t.From
	low, high := t.Target.Port(), t.Target.Port()
	if t.Leased {
		low, high = usable(t)
	}
	out.Address, out.First, out.Last = t.Text(low).Addr(), t.Text(low).Port(), t.Text(high).Port()
	return out
}

// usable returns the lowest and the highest port that could have been leased.
func usable(t alg.Translation) (low, high uint16) {
	low, high = t.Ports.Low, t.Ports.High
	for low < high && !t.View.Usable(low) {
		low++
	}
	for high > low && !t.View.Usable(high) {
		high--
	}
	return low, high
}
