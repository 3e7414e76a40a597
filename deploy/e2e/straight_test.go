package e2e

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// What a connection straight to the gateway must get: nothing at all, or a
// refusal that says why.
func TestConnectionToTheGatewayItselfIsRefusedAndDoesNotLoop(t *testing.T) {
	for name, listeners := range map[string]string{"TPROXY": lanTPROXY, "REDIRECT": lanREDIRECT} {
		for _, strict := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, strict %v", name, strict), func(t *testing.T) {
				t.Parallel()
				s := newScene(t, lab.Outbound)
				if !strict {
					_, err := s.Gateway.Iptables("-P", "INPUT", "ACCEPT")
					try(t, err)
				}
				g := startGateway(t, s.Gateway, settings{listeners: listeners})
				ports := []uint16{21}
				ports = append(ports, listening(t, s.Gateway)...)
				if len(ports) < 2 {
					t.Fatal("the gateway listens nowhere")
				}
				for _, to := range []string{"198.18.0.1", "203.0.113.1"} {
					for _, port := range ports {
						notServed(t, s, netip.AddrPortFrom(netip.MustParseAddr(to), port))
					}
				}
				if open := g.sessions(t); len(open) > 0 {
					t.Errorf("sessions: %+v", open)
				}
				if strings.Contains(g.log(t), "session_begin") {
					t.Error("a session began")
				}
				fetch(t, s.connect(t), s.server.files, ftp.PASV, "pub/file")
			})
		}
	}
}

// notServed holds that an address is closed, or refuses with 421.
func notServed(t *testing.T, s *scene, at netip.AddrPort) {
	t.Helper()
	if err := s.tryDial(t, at, refusedTimeout); err != nil {
		return
	}
	_, err := ftp.Connect(t.Context(), at.String(), ftp.Options{Dial: s.Client.Dial})
	var refusal *ftp.ReplyError
	if !errors.As(err, &refusal) || refusal.Reply.Code != 421 {
		t.Errorf("%s answers %v, want 421", at, err)
	}
}

// listening lists the ports on which something listens on a host over IPv4.
func listening(t *testing.T, host *lab.Host) (ports []uint16) {
	t.Helper()
	out, err := host.Command(t.Context(), "ss", "-H4ltn").Output()
	try(t, err)
	for _, m := range regexp.MustCompile(`:(\d+) +\S+:\*`).FindAllStringSubmatch(string(out), -1) {
		port, err := strconv.ParseUint(m[1], 10, 16)
		try(t, err)
		ports = append(ports, uint16(port))
	}
	return ports
}
