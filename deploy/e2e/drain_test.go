package e2e

import (
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// For maintenance new sessions are turned away, those that are open go on, and
// whoever asks is told; an upgrade does not change that.
func TestADrainedGatewayTakesNoNewSessions(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: "[{name: files, listen: 203.0.113.1:21, server: 198.18.1.20:21}]"})
	open := s.connect(t)
	out, err := g.ask("drain")
	try(t, err)
	if !strings.Contains(out, "1 are left") {
		t.Errorf("drain says %q", out)
	}
	before := g.opener(t)
	_, err = g.ask("upgrade")
	try(t, err)
	g.hasSucceeded(t, before)
	if _, err := s.tryConnect(t, s.Client, s.Contact); err == nil || !strings.Contains(err.Error(), "421 The gateway takes no new sessions") {
		t.Errorf("a new session: %v", err)
	}
	if out, err := g.ask("health"); err == nil || !strings.Contains(out, "takes no new sessions, and 1 are left") {
		t.Errorf("health: %v, %s", err, out)
	}
	if out, err := g.ask("drain", "--wait", "200ms"); err == nil || !strings.Contains(out, "1 are left") {
		t.Errorf("drain --wait with a session: %v, %s", err, out)
	}
	fetch(t, open, s.server.files, ftp.PASV, "pub/file")
	try(t, open.Quit())
	out, err = g.ask("drain", "--wait", "20s")
	try(t, err)
	if !strings.Contains(out, "0 are left") {
		t.Errorf("drain --wait says %q", out)
	}
	_, err = g.ask("drain", "--end")
	try(t, err)
	_, err = g.ask("health")
	try(t, err)
	fetch(t, s.connect(t), s.server.files, ftp.EPSV, "pub/file")
	g.stopSuccessor(t)
}
