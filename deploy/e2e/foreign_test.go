package e2e

import (
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
)

// healTimeout is how long a foreign flush may take effect on a busy machine.
const healTimeout = 20 * time.Second

// A transfer that stands still does not outlive such a flush, gateway or not:
// with the last rule that uses it gone the kernel stops tracking connections,
// and later takes that one's segments for invalid (nf_conntrack_proto_tcp.c).
func TestForeignFlushIsHealedWhileASessionGoesOn(t *testing.T) {
	tests := []struct {
		name      string
		topology  topology
		listeners string
	}{
		{"fronting", lab.Inbound, frontingClient},
		{"TPROXY", lab.Outbound, lanTPROXY},
		{"REDIRECT", lab.Outbound, lanREDIRECT},
		{"IPv6", lab.IPv6, `[{name: dmz, transparent: {interface: wan, ports: [21]}, source: client}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, tt.topology)
			g := startGateway(t, s.Gateway, settings{listeners: tt.listeners})
			c := s.connect(t)
			flush(t, s.Gateway)
			within(t, healTimeout, "the rules are as before", func() error { return g.differs(t) })
			for _, m := range modesOf(s.Contact) {
				fetch(t, c, s.server.files, m, "pub/file")
				fetch(t, s.connect(t), s.server.files, m, "pub/small")
			}
			try(t, c.Quit())
			g.closedAgain(t)
		})
	}
}

func TestPromiseOutlivesAFlushAndAReload(t *testing.T) {
	listeners := settings{listeners: "[" + firstListener + "]", pinhole: "10m"}
	for name, disturb := range map[string]func(*testing.T, *scene, *gateway){
		"flush": func(t *testing.T, s *scene, _ *gateway) { flush(t, s.Gateway) },
		"reload": func(t *testing.T, _ *scene, g *gateway) {
			more := listeners
			more.listeners = "[" + firstListener + ", " + secondListener + "]"
			g.reload(t, more, onFirst, onSecond)
			g.reload(t, listeners, onFirst)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, lab.Inbound)
			g := startGateway(t, s.Gateway, listeners)
			c := s.connect(t)
			at := told(t, says(t, c, "PASV", 227), s.Contact)
			quiet, promised := g.quiet, g.rules(t)
			disturb(t, s, g)
			g.quiet = promised
			within(t, healTimeout, "the promise's rules are there", func() error { return g.differs(t) })
			try(t, c.Send("RETR pub/file\r\n"))
			same(t, s.server.files, "pub/file", download(t, s, at))
			wants(t, c, 150, 226)
			try(t, c.Quit())
			g.quiet = quiet
			g.closedAgain(t)
		})
	}
}

// emptied are the tables with nothing but their built-in chains, as
// iptables-restore(8) reads them.
const emptied = `*filter
:INPUT DROP
:FORWARD DROP
:OUTPUT ACCEPT
COMMIT
*nat
:PREROUTING ACCEPT
:INPUT ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
COMMIT
*mangle
:PREROUTING ACCEPT
:INPUT ACCEPT
:FORWARD ACCEPT
:OUTPUT ACCEPT
:POSTROUTING ACCEPT
COMMIT
`

// flush empties the tables as a firewall's restart does, and sets the strict
// rules again. Each table goes in one step: between two the gateway could put
// a jump back, which would keep its chain from being deleted.
func flush(t *testing.T, host *lab.Host) {
	t.Helper()
	for _, program := range []string{"iptables-restore", "ip6tables-restore"} {
		c := host.Command(t.Context(), program, "-w", "10")
		c.Stdin = strings.NewReader(emptied)
		_, err := c.Output()
		try(t, err)
	}
	try(t, host.Strict())
}

// foreignRules are somebody else's, in every table that the gateway uses.
var foreignRules = []string{
	"-N operator",
	"-A operator -s 192.0.2.0/24 -j DROP",
	"-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT",
	"-I FORWARD 1 -p tcp -m tcp --dport 8080 -j operator",
	"-A OUTPUT -p tcp -m tcp --dport 25 -j REJECT",
	"-t nat -A PREROUTING -p tcp -m tcp --dport 8080 -j REDIRECT --to-ports 80",
	"-t nat -A POSTROUTING -p udp -j MASQUERADE",
	"-t mangle -A PREROUTING -p udp -j MARK --set-mark 0x1",
	"-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
}

func TestForeignRulesOutliveAGatewayUntouched(t *testing.T) {
	for name, listeners := range map[string]string{"TPROXY": lanTPROXY, "REDIRECT": lanREDIRECT} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, lab.Outbound)
			addForeign(t, s.Gateway)
			g := newGateway(t, s.Gateway, settings{listeners: listeners})
			rules, ways := g.rules(t), routes(t, s.Gateway)
			g.start(t)
			if during := withoutOurs(g.quiet); during != rules {
				t.Errorf("while the gateway runs:\n%s", difference(during, rules))
			}
			c := s.connect(t)
			for _, m := range allModes() {
				fetch(t, c, s.server.files, m, "pub/file")
			}
			try(t, c.Quit())
			g.closedAgain(t)
			g.stop(t)
			g.noTrace(t, rules, ways)
		})
	}
}

// addForeign adds foreign rules, and a policy rule and a route.
func addForeign(t *testing.T, host *lab.Host) {
	t.Helper()
	for _, rule := range foreignRules {
		_, err := host.Iptables(strings.Fields(rule)...)
		try(t, err)
		_, err = host.Ip6tables(strings.Fields(strings.ReplaceAll(rule, "192.0.2.0/24", "2001:db8:9::/48"))...)
		try(t, err)
	}
	for _, args := range []string{"rule add fwmark 0x1 lookup 77", "route add 192.0.2.0/24 dev lo table 77"} {
		_, err := host.Command(t.Context(), "ip", strings.Fields(args)...).Output()
		try(t, err)
	}
}
