package e2e

import (
	"fmt"
	"net/netip"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// Clients of one address family and a server of the other, which knows nothing
// of theirs (RFC 6384).
func TestClientAndServerOfDifferentFamilies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		topology topology
		// client and gateway are further addresses of these.
		client, gateway string
		// modes are those that can carry the client's address.
		modes []ftp.Mode
	}{
		{"IPv6 client, IPv4 server", lab.Inbound, "2001:db8:1::10/64", "2001:db8:1::1/64", []ftp.Mode{ftp.EPSV, ftp.EPRT}},
		{"IPv4 client, IPv6 server", lab.IPv6, "203.0.113.10/24", "203.0.113.1/24", []ftp.Mode{ftp.PASV, ftp.EPSV, ftp.PORT, ftp.EPRT}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			need(t, "curl", "lftp", "tnftp", "vsftpd")
			s := newScene(t, tt.topology)
			try(t, s.Client.AddAddress("eth0", tt.client))
			try(t, s.Gateway.AddAddress("wan", tt.gateway))
			s.Contact = netip.MustParsePrefix(tt.gateway).Addr()
			g := startGateway(t, s.Gateway, settings{listeners: fmt.Sprintf(`[{name: six, listen: %q, server: %q}]`,
				netip.AddrPortFrom(s.Contact, 21), netip.AddrPortFrom(s.Own, 21))})
			s.everyClient(t, s.server.files, tt.modes...)
			g.closedAgain(t)
		})
	}
}
