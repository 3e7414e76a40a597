package alg

import (
	"crypto/tls"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/nat"
)

// Options is what a Gateway is made of.
type Options struct {
	// Kernel opens connections and pinholes. Required.
	Kernel Kernel
	// ReadLowWater sets how many bytes of a relayed connection's stream must have
	// come before it is read (socket(7), SO_RCVLOWAT); nil if nobody can.
	ReadLowWater func(c Conn, bytes int) error
	// Log takes one line for each event of a session; nil discards them.
	Log *slog.Logger
	// Observer is told what happens; the zero Observer ignores it.
	Observer Observer
	// Settings are those that Configure may replace later.
	Settings Settings
}

// Settings are the parts of the configuration that a reload may change. A
// session keeps those it began with.
type Settings struct {
	// NAT lists the further NATs in front of this machine.
	NAT nat.Table
	// PassivePorts and ActivePorts are the data ports of addresses that the
	// gateway owns, told to clients and to servers.
	PassivePorts, ActivePorts nat.Range
	// PinholeTimeout is how long a promised data connection may stay away.
	PinholeTimeout time.Duration
	// ConnectTimeout bounds the dial to a server.
	ConnectTimeout time.Duration
	// IdleTimeout ends a session on which nothing was said and no transfer
	// runs (RFC 1123 section 4.1.3.2: at least five minutes by default).
	IdleTimeout time.Duration
	// Sessions and SessionsPerClient bound the sessions at one time.
	Sessions, SessionsPerClient int
	// Rejections bounds the connections that are being told at one time why they
	// are rejected; more are just closed. 0 means 256.
	Rejections int
	// PromisesPerClient bounds the data ports of our ranges that one client
	// holds at one time; 0 means no bound.
	PromisesPerClient int
	// Rates bound what one client may do in a minute.
	Rates Rates
	// Relay says that this process carries all data.
	Relay bool
	// CommandLine is the longest line of a client, in bytes with its end.
	CommandLine int
}

// Service is what one listener does with the connections it accepts.
type Service struct {
	// Name is the listener's name in the configuration.
	Name string
	// Server is the server behind a fronting listener; the zero AddrPort of a
	// transparent one means the original destination.
	Server netip.AddrPort
	// Servers are those among which each session gets one; Server does not count
	// then. It is nil where there is one.
	Servers *Servers
	// Source says what the server sees.
	Source Source
	// Policy is the dialogue's, but for the sessions that one of Policies
	// covers; the first of those that does counts.
	Policy   dialogue.Policy
	Policies []PolicyFor
	// TLS is how the gateway is the end of the client's TLS where the Policy
	// says so, else nil. ImplicitTLS begins it with the connection; ResumeData
	// asks of a data connection to resume its control connection's session.
	TLS                     *tls.Config
	ImplicitTLS, ResumeData bool
	// Proxy is how the PROXY protocol is spoken, nil for not at all.
	Proxy *ProxyProtocol
	// PassPorts are the ports of the server that are kept open for the client of
	// a session that has become opaque; the zero Range is none.
	PassPorts nat.Range
	// ServerTLS is how the gateway speaks TLS with the server, nil for in
	// clear. The Policy must say so, too.
	ServerTLS *ServerTLS
}

// PolicyFor is the policy of the sessions between some clients and servers.
type PolicyFor struct {
	// Clients and Servers are networks; none of them means any.
	Clients, Servers []netip.Prefix
	Policy           dialogue.Policy
}

// PolicyOf returns the policy of a session between two hosts.
func (s *Service) PolicyOf(client, server netip.Addr) dialogue.Policy {
	for _, p := range s.Policies {
		if within(client, p.Clients) && within(server, p.Servers) {
			return p.Policy
		}
	}
	return s.Policy
}

// within reports whether one of the networks, of which none mean any, holds a.
func within(a netip.Addr, networks []netip.Prefix) bool {
	return len(networks) == 0 || slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) })
}

// transparent reports whether the service leaves the client its idea of the
// server: the address that the client reached is not the gateway's own.
func (s *Service) transparent() bool { return !s.Server.IsValid() && s.Servers == nil }

// Source says from which address the server sees a session come.
type Source struct {
	// Client takes the client's own address; otherwise Addr, or the gateway's
	// address of the interface if Addr is the zero Addr.
	Client bool
	Addr   netip.Addr
}

// Times that no operator needs to set.
const (
	// closeTimeout is how long the client may take to close after the server
	// has.
	closeTimeout = 10 * time.Second
	// finalReplyTimeout bounds the writing of a last reply.
	finalReplyTimeout = time.Second
	// opaqueIdle is the least idle time of an encrypted session, in which
	// transfers cannot be seen (RFC 5382 REQ-5).
	opaqueIdle = 2*time.Hour + 4*time.Minute
	// portRest is how long a data port rests after use: longer than a
	// segment that was under way.
	portRest = 30 * time.Second
)
