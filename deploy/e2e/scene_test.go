package e2e

import (
	"context"
	"net"
	"net/netip"
	"os"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
	"ftpalg/deploy/lab/labtest"
)

// topology builds the hosts of a scene, as lab.Inbound does.
type topology func(context.Context, string) (*lab.Topology, error)

// scene is a topology whose gateway host drops everything, with a server that
// serves. The gateway itself is the test's to start.
type scene struct {
	*lab.Topology
	server *vsftpd
	dir    string
}

// newScene builds the hosts and starts vsftpd on the server host, with further
// settings of its own ("name=value").
func newScene(t *testing.T, build topology, settings ...string) *scene {
	t.Helper()
	need(t, "vsftpd")
	s := newHosts(t, build)
	s.server = startVsftpd(t, s.Server, s.Own, settings...)
	return s
}

// newHosts is newScene without a server.
func newHosts(t *testing.T, build topology) *scene {
	t.Helper()
	need(t, "iptables", "ip6tables", "ip")
	dir := publicDir(t) // made before the hosts, so that it goes after them
	s := &scene{Topology: labtest.New(t, build), dir: dir}
	try(t, s.Gateway.Strict())
	return s
}

// publicDir returns a folder of the test that servers may enter as whoever
// they are.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ftpalg-e2e-")
	try(t, err)
	t.Cleanup(func() { try(t, os.RemoveAll(dir)) })
	try(t, os.Chmod(dir, 0o755))
	return dir
}

// try ends the test if what had to be done for it failed.
func try(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connect opens a session from the client host, logged in.
func (s *scene) connect(t *testing.T) *ftp.Client {
	t.Helper()
	return s.connectFrom(t, s.Client, s.Contact)
}

func (s *scene) connectFrom(t *testing.T, from *lab.Host, to netip.Addr) *ftp.Client {
	t.Helper()
	c, err := s.tryConnect(t, from, to)
	try(t, err)
	try(t, c.Login("anonymous", "e2e@example.net"))
	return c
}

// tryConnect opens a session that may be refused.
func (s *scene) tryConnect(t *testing.T, from *lab.Host, to netip.Addr) (*ftp.Client, error) {
	c, err := ftp.Connect(t.Context(), netip.AddrPortFrom(to, 21).String(), ftp.Options{Dial: from.Dial, Listen: from.Listen})
	if err == nil {
		t.Cleanup(func() { _ = c.Close() }) // the test may have closed it
	}
	return c, err
}

// dial opens a bare connection from the client host to the server's contact
// address.
func (s *scene) dial(t *testing.T) net.Conn {
	t.Helper()
	c, err := s.Client.Dial(t.Context(), "tcp", "", netip.AddrPortFrom(s.Contact, 21).String())
	try(t, err)
	t.Cleanup(func() { _ = c.Close() }) // the test may have closed it
	return c
}
