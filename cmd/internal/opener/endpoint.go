package opener

import (
	"net/netip"

	"ftpalg/cmd/internal/config"
)

// endpoint names one listening socket: what must be the same for a socket to
// be kept when the configuration changes.
type endpoint struct {
	kind listenerKind
	// addr is where a fronting listener listens; for transparent ones only
	// its family counts, their ports are the kernel's choice.
	addr netip.AddrPort
	// name tells the transparent listeners apart.
	name string
}

type listenerKind uint8

const (
	fronting listenerKind = iota
	viaTPROXY
	viaREDIRECT
)

func (e endpoint) String() string {
	if e.kind == fronting {
		return e.addr.String()
	}
	family := "IPv4"
	if e.addr.Addr().Is6() {
		family = "IPv6"
	}
	return "traffic of " + e.name + " over " + family
}

// endpoints lists the sockets that a listener wants. A transparent one wants
// a socket for each family that its clients and servers can have.
func endpoints(l *config.Listener) []endpoint {
	var out []endpoint
	if l.Transparent == nil {
		for _, a := range l.Listen {
			out = append(out, endpoint{kind: fronting, addr: a})
		}
		return out
	}
	t := l.Transparent
	kind, four, six := viaTPROXY, netip.MustParseAddr("127.0.0.1"), netip.IPv6Loopback()
	if t.Method == config.MethodRedirect {
		// REDIRECT sends to the address of the interface, not to loopback.
		kind, four, six = viaREDIRECT, netip.IPv4Unspecified(), netip.IPv6Unspecified()
	}
	for _, a := range []netip.Addr{four, six} {
		if t.Serves(a.Is4()) {
			out = append(out, endpoint{kind: kind, addr: netip.AddrPortFrom(a, 0), name: l.Name})
		}
	}
	return out
}
