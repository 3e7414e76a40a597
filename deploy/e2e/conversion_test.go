package e2e

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// Servers that know one way to make data connections, and clients that ask for
// every other.
func TestTheServersSideIsConverted(t *testing.T) {
	t.Parallel()
	passiveOnly := []string{"port_enable=NO"}
	for _, tt := range []struct {
		name     string
		topology topology
		convert  string
		server   []string
		// listener is the rest of the listener in front of the server, or one by
		// itself.
		listener string
	}{
		{"passive", lab.Inbound, "passive", passiveOnly, ""},
		{"passive without EPSV", lab.Inbound, "passive", append(passiveOnly, "cmds_denied=EPSV"), ""},
		{"passive over IPv6, transparent", lab.IPv6, "passive", passiveOnly, "transparent: {interface: wan}"},
		{"passive, and the server sees the client", lab.Inbound, "passive", passiveOnly, "source: client"},
		{"passive, transparent", lab.Outbound, "passive", passiveOnly, "transparent: {interface: lan}"},
		{"active", lab.Inbound, "active", []string{"pasv_enable=NO"}, ""},
		{"active over IPv6, transparent", lab.IPv6, "active", []string{"pasv_enable=NO"}, "transparent: {interface: wan}, source: client"},
		{"active, and the server sees the client", lab.Inbound, "active", []string{"pasv_enable=NO"}, "source: client"},
		{"active, transparent", lab.Outbound, "active", []string{"pasv_enable=NO"}, "transparent: {interface: lan}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			need(t, "curl", "lftp", "tnftp", "vsftpd")
			s := newScene(t, tt.topology, tt.server...)
			listener := tt.listener
			if !strings.HasPrefix(listener, "transparent") {
				listener = fmt.Sprintf("listen: %q, server: %q, %s", netip.AddrPortFrom(s.Contact, 21), netip.AddrPortFrom(s.Own, 21), listener)
			}
			g := startGateway(t, s.Gateway, settings{listeners: fmt.Sprintf("[{name: one, convert: %s, %s}]", tt.convert, listener)})
			modes := allModes()
			if s.Contact.Is6() {
				modes = []ftp.Mode{ftp.EPSV, ftp.EPRT}
			}
			s.everyClient(t, s.server.files, modes...)
			g.closedAgain(t)
		})
	}
}
