package e2e

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// A balancer's member answers for itself: data waits at the address of its 227,
// and nowhere else. The balancer's own name and make stay hidden.
func TestAMemberOfABalancerAnswersForItself(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, listener, contact string }{
		{"fronted", "listen: 203.0.113.1:21, server: 198.18.1.20:21, source: client", "203.0.113.1"},
		{"routed", "transparent: {interface: wan}, source: client", "198.18.1.20"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newHosts(t, lab.Inbound)
			member := netip.MustParseAddr("198.18.1.21")
			try(t, s.Server.AddAddress("eth0", member.String()+"/24"))
			content := ftp.Random(7, 300_000)
			serveMember(t, s, member, content)
			try(t, s.Client.Route("198.18.1.0/24", "203.0.113.1"))
			s.Contact = netip.MustParseAddr(tt.contact)
			g := startGateway(t, s.Gateway, settings{listeners: "[{name: farm, " + tt.listener +
				", banner: Welcome., system: 'UNIX Type: L8', policies: [{clients: 192.0.2.0/24, commands: read-only}, " +
				"{servers: 198.18.1.0/24, server_data: 198.18.1.21/32, banner: Welcome., system: 'UNIX Type: L8', deny: DELE, lowest_data_port: 2000}]}]"})
			c := s.connect(t)
			if got := says(t, c, "SYST", 215).String(); got != "215 UNIX Type: L8" {
				t.Errorf("SYST: %s", got)
			}
			says(t, c, "DELE file", 550)
			says(t, c, "PORT 203,0,113,10,4,10", 504)
			var got bytes.Buffer
			if _, err := c.Retrieve(ftp.PASV, "file", &got); err != nil {
				t.Fatal(err)
			}
			if ftp.Bytes(got.Bytes()).Sum() != content.Sum() {
				t.Errorf("%d bytes came, and not the right ones", got.Len())
			}
			try(t, c.Quit())
			for _, setting := range []string{"policies[1]: deny: DELE", "policies[1]: lowest_data_port: 2000"} {
				if !strings.Contains(g.log(t), `setting="`+setting+`"`) {
					t.Errorf("the log does not name %q", setting)
				}
			}
			g.closedAgain(t)
		})
	}
}

// serveMember has the server host serve files by a server that answers at its
// own address and has its data at another one.
func serveMember(t *testing.T, s *scene, data netip.Addr, content ftp.Content) {
	t.Helper()
	server := &ftp.Server{
		Files: ftp.NewFiles(map[string]ftp.Content{"file": content}), Announce: data, Dial: s.Server.Dial,
		Listen: func(network, address string) (net.Listener, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return s.Server.Listen(network, net.JoinHostPort(data.String(), port))
		},
	}
	l, err := s.Server.Listen("tcp", netip.AddrPortFrom(s.Own, 21).String())
	try(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Close()
		try(t, <-served)
	})
}
