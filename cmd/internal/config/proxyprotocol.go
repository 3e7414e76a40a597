package config

import (
	"net/netip"
)

// ProxyProtocol is how the PROXY protocol is spoken (HAProxy, proxy-protocol.txt).
type ProxyProtocol struct {
	// Accept are the networks of balancers whose connections begin with a header.
	Accept []netip.Prefix
	// Send is the version of the header that begins connections to the server.
	Send ProxyVersion
	// Data says that data connections which the gateway relays begin so, too.
	Data bool
}

// ProxyVersion is a version of the header.
type ProxyVersion string

// The versions: none, text, binary.
const (
	ProxyOff ProxyVersion = "off"
	ProxyV1  ProxyVersion = "v1"
	ProxyV2  ProxyVersion = "v2"
)

func newProxyProtocol() ProxyProtocol { return ProxyProtocol{Send: ProxyOff, Data: true} }

func (p *ProxyProtocol) fields() []field {
	return []field{
		{"accept", oneOrMany(&p.Accept, prefix())},
		{"send", one(&p.Send, choice(ProxyOff, ProxyV1, ProxyV2))},
		{"data", one(&p.Data, flag())},
	}
}

// Accepts reports whether a balancer may name the client of its connections.
func (p *ProxyProtocol) Accepts(balancer netip.Addr) bool {
	return p != nil && len(p.Accept) > 0 && Within(balancer, p.Accept)
}

// checkProxyProtocol reports what of it does not fit together.
func (l *Listener) checkProxyProtocol(r *report, path string) {
	p := l.ProxyProtocol
	switch {
	case p == nil || !r.clean(path):
	case len(p.Accept) == 0 && p.Send == ProxyOff:
		r.add(path, "does nothing; give accept, the networks of balancers, or send")
	case len(p.Accept) > 0 && l.Transparent != nil:
		r.add(path+".accept", "not with transparent, whose clients come themselves")
	}
}
