package e2e

import (
	"net/netip"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// Listeners that several tests use.
const (
	fronting       = "[{name: legacy, listen: 203.0.113.1:21, server: 198.18.1.20:21, source: gateway}]"
	frontingClient = "[{name: legacy, listen: 203.0.113.1:21, server: 198.18.1.20:21, source: client}]"
	lanTPROXY      = "[{name: lan, transparent: {interface: lan, ports: [21]}, source: gateway}]"
	lanREDIRECT    = "[{name: lan, transparent: {interface: lan, ports: [21], method: redirect}, source: gateway}]"
)

// portSpan is the ports that a client may be told.
type portSpan struct{ low, high uint16 }

// What the tests' servers and gateways choose from.
var (
	ofServer  = portSpan{20000, 29999}
	ofGateway = portSpan{50000, 50099}
)

func allModes() []ftp.Mode { return []ftp.Mode{ftp.PASV, ftp.EPSV, ftp.PORT, ftp.EPRT} }

func TestEveryClientIsServedInEveryTopology(t *testing.T) {
	type example struct {
		name     string
		topology topology
		settings settings
		prepare  func(*testing.T, *scene)
		seen     string // whom the server sees
		told     portSpan
	}
	tests := []example{
		{"inbound, source client", lab.Inbound, settings{listeners: frontingClient}, nil, "203.0.113.10", ofGateway},
		{"inbound, source gateway", lab.Inbound, settings{listeners: fronting}, forgetWayBack, "198.18.1.1", ofGateway},
		{"inbound, source a given address", lab.Inbound, settings{listeners: strings.Replace(fronting, "gateway", "198.18.1.2", 1)},
			addSource, "198.18.1.2", ofGateway},
		{"outbound, TPROXY", lab.Outbound, settings{listeners: lanTPROXY}, nil, "203.0.113.1", ofServer},
		{"outbound, REDIRECT", lab.Outbound, settings{listeners: lanREDIRECT}, nil, "203.0.113.1", ofServer},
		{"routed, TPROXY", lab.Routed, settings{
			listeners: "[{name: dmz, transparent: {interface: wan, ports: [21], servers: [192.0.2.0/24]}, source: client}]",
		}, nil, "203.0.113.10", ofServer},
		{"routed, REDIRECT", lab.Routed, settings{
			listeners: "[{name: dmz, transparent: {interface: wan, ports: [21], servers: [192.0.2.0/24], method: redirect}, source: client}]",
		}, nil, "203.0.113.10", ofServer},
		{"two NATs", lab.TwoNATs, settings{listeners: fronting}, startEdge, "198.18.1.1", ofGateway},
		{"cloud", lab.Cloud, settings{
			listeners: "[{name: legacy, listen: 198.18.2.10:21, server: 198.18.1.20:21, source: gateway}]",
			nat:       "[{local: 198.18.2.10, public: 203.0.113.80, except: [198.18.0.0/15]}]",
		}, nil, "198.18.1.1", ofGateway},
		{"IPv6, TPROXY, source client", lab.IPv6, settings{
			listeners: `[{name: dmz, transparent: {interface: wan, ports: [21], servers: ["2001:db8:2::/64"]}, source: client}]`,
		}, nil, "2001:db8:1::10", ofServer},
		{"IPv6, TPROXY, source gateway", lab.IPv6, settings{
			listeners: `[{name: dmz, transparent: {interface: wan, ports: [21], servers: ["2001:db8:2::/64"]}, source: gateway}]`,
		}, nil, "2001:db8:2::1", ofServer},
		{"IPv6, REDIRECT", lab.IPv6, settings{
			listeners: "[{name: dmz, transparent: {interface: wan, ports: [21], method: redirect}, source: gateway}]",
		}, nil, "2001:db8:2::1", ofServer},
		{"IPv6, fronted", lab.IPv6, settings{
			listeners: `[{name: dmz, listen: "[2001:db8:1::1]:21", server: "[2001:db8:2::20]:21", source: gateway}]`,
		}, contactGateway, "2001:db8:2::1", ofGateway},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, tt.topology)
			if tt.prepare != nil {
				tt.prepare(t, s)
			}
			g := startGateway(t, s.Gateway, tt.settings)
			s.everyClient(t, s.server.files, modesOf(s.Contact)...)
			s.checkTold(t, tt.told)
			if seen := s.server.seen(t, s.Own); len(seen) != 1 || !seen[netip.MustParseAddr(tt.seen)] {
				t.Errorf("the server saw clients come from %v, want %s", seen, tt.seen)
			}
			g.closedAgain(t)
		})
	}
}

func modesOf(a netip.Addr) []ftp.Mode {
	if a.Is6() {
		return []ftp.Mode{ftp.EPSV, ftp.EPRT}
	}
	return allModes()
}

// checkTold holds that passive replies carry the address that the client
// knows and a port of the span.
func (s *scene) checkTold(t *testing.T, span portSpan) {
	t.Helper()
	c := s.connect(t)
	defer c.Close()
	for _, m := range modesOf(s.Contact) {
		if m == ftp.PORT || m == ftp.EPRT {
			continue
		}
		told := fetch(t, c, s.server.files, m, "pub/small").Told
		if told.Addr() != s.Contact || told.Port() < span.low || told.Port() > span.high {
			t.Errorf("%s told the client %s, want %s and a port of %v", m, told, s.Contact, span)
		}
	}
}

// forgetWayBack takes the server's route to its clients away.
func forgetWayBack(t *testing.T, s *scene) {
	_, err := s.Server.Command(t.Context(), "ip", "route", "del", "default").Output()
	try(t, err)
}

func addSource(t *testing.T, s *scene) {
	try(t, s.Gateway.AddAddress("lan", "198.18.1.2/24"))
	forgetWayBack(t, s)
}

// startEdge makes the client's own edge a gateway too.
func startEdge(t *testing.T, s *scene) {
	try(t, s.Edge.Strict())
	edge := startGateway(t, s.Edge, settings{listeners: lanTPROXY})
	t.Cleanup(func() { edge.closedAgain(t) })
}

// contactGateway has clients connect to the gateway itself.
func contactGateway(_ *testing.T, s *scene) { s.Contact = netip.MustParseAddr("2001:db8:1::1") }
