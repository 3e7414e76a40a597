package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// startHAProxy starts HAProxy on a host, with sections that pass connections through.
func startHAProxy(t *testing.T, host *lab.Host, at netip.AddrPort, sections string) {
	t.Helper()
	need(t, "haproxy")
	conf := filepath.Join(publicDir(t), "haproxy.cfg")
	try(t, os.WriteFile(conf, []byte("defaults\n mode tcp\n timeout connect 5s\n timeout client 1m\n timeout server 1m\n"+sections), 0o644))
	start(t, host, "haproxy", "-db", "-f", conf)
	awaitListener(t, host, at)
}

// A balancer stands before the gateway and says whose the connections are, on
// control and data connections; another one before the server, which wants to know.
func TestBalancersSayWhoTheClientIs(t *testing.T) {
	t.Parallel()
	need(t, "curl", "lftp", "vsftpd")
	for _, tt := range []struct{ name, accepted, sent string }{
		{"v1", "send-proxy", "v1"},
		{"v2", "send-proxy-v2", "v2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newHosts(t, lab.Cloud)
			s.Contact = netip.MustParseAddr("203.0.113.81")
			try(t, s.Edge.AddAddress("wan", "203.0.113.81/24"))
			startHAProxy(t, s.Edge, netip.MustParseAddrPort("203.0.113.81:21"), fmt.Sprintf(
				"listen ftp\n bind 203.0.113.81:21\n bind 203.0.113.81:50000-50099\n server gateway 198.18.2.10 %s\n", tt.accepted))
			try(t, s.Server.AddAddress("eth0", "198.18.9.20/24"))
			v := startVsftpd(t, s.Server, netip.MustParseAddr("198.18.9.20"), "pasv_min_port=20000", "pasv_max_port=20019",
				"pasv_address=198.18.1.20", "log_ftp_protocol=YES")
			// A port each: without one HAProxy would go on to that which the header names.
			var sections strings.Builder
			for port := 20000; port < 20020; port++ {
				fmt.Fprintf(&sections, "listen data%d\n bind 198.18.1.20:%[1]d accept-proxy\n server own 198.18.9.20:%[1]d\n", port)
			}
			sections.WriteString("listen control\n bind 198.18.1.20:21 accept-proxy\n server own 198.18.9.20:21\n")
			startHAProxy(t, s.Server, netip.MustParseAddrPort("198.18.1.20:20000"), sections.String())
			g := startGateway(t, s.Gateway, settings{
				listeners: fmt.Sprintf("[{name: behind, listen: 198.18.2.10:21, server: 198.18.1.20:21, proxy_protocol: {accept: 198.18.2.0/24, send: %s}}]", tt.sent),
				path:      "relay",
			})
			for _, m := range []ftp.Mode{ftp.PASV, ftp.EPSV} {
				s.tryCurl(t, v.files, m)
			}
			s.tryLftp(t, v.files, true)
			c := s.connect(t)
			if told := fetch(t, c, v.files, ftp.PASV, "pub/file").Told; told.Addr() != s.Contact {
				t.Errorf("the client is told %s", told)
			}
			says(t, c, "PORT 203,0,113,11,200,10", 501) // another host than the client is, wherever the packets come from
			out, err := g.ask("sessions")
			if err != nil || !strings.Contains(out, "203.0.113.10:") || strings.Contains(out, "198.18.2.1:") {
				t.Errorf("sessions: %v\n%s", err, out)
			}
			try(t, c.Quit())
			g.closedAgain(t)
			log, err := os.ReadFile(g.logFile())
			try(t, err)
			if !strings.Contains(string(log), "client=203.0.113.10:") {
				t.Error("the log does not know the client")
			}
		})
	}
}

// Who comes from a balancer's network and does not say for whom is closed; a client
// from anywhere else is served as it comes.
func TestABalancerMustSayWhoTheClientIs(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	s := newScene(t, lab.Inbound)
	try(t, s.Client.AddAddress("eth0", "203.0.113.12/24"))
	g := startGateway(t, s.Gateway, settings{
		listeners: "[{name: behind, listen: 203.0.113.1:21, server: 198.18.1.20:21, proxy_protocol: {accept: 203.0.113.12/32}}]",
	})
	s.tryCurl(t, s.server.files, ftp.EPSV)
	if out, err := run(t, s.Client, "curl", "-sS", "-m", "20", "--interface", "203.0.113.12", s.url("pub/file"), "-o", filepath.Join(s.dir, "got")); err == nil {
		t.Errorf("a balancer that does not speak is served: %s", out)
	}
	try(t, g.logged("proxy_header_failed")())
	if out, err := run(t, s.Client, "curl", "-sS", "-m", "20", "--interface", "203.0.113.10", "--haproxy-protocol", s.url("pub/file"), "-o", filepath.Join(s.dir, "got")); err == nil {
		t.Errorf("a client that names itself is believed: %s", out)
	}
}
