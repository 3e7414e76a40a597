package e2e

import (
	"os"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// A second gateway on the same host, with another admin socket and listeners
// of its own, would take the first one's rules for leftovers.
func TestSecondGatewayLeavesTheFirstAlone(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: fronting})
	second := newGateway(t, s.Gateway, settings{listeners: strings.ReplaceAll(fronting, ":21,", ":2100,")})
	out, err := s.Gateway.Command(t.Context(), os.Getenv(binaryVariable), "run", "--config", second.configFile()).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "another ftpalg, process ") {
		t.Errorf("the second gateway ended with %v and said %q", err, out)
	}
	if now := g.rules(t); now != g.quiet {
		t.Errorf("the first one's rules are now\n%s\nand were\n%s", now, g.quiet)
	}
	c := s.connect(t)
	fetch(t, c, s.server.files, ftp.PASV, "pub/file")
	try(t, c.Quit())
	g.closedAgain(t)
}
