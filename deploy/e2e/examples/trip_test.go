package examples

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// trip is one way through an example's gateways, and what both ends must see
// on it.
type trip struct {
	// contact is where the client connects; server, where the server listens.
	contact, server string
	// seenAs is where the session and its active data connections seem to
	// come from, for the server.
	seenAs string
	// passive are the ports that the client may be told, active the server.
	passive, active ports
}

// ports is a range; the zero range stands for the announcing side's own ports.
type ports struct{ first, last uint16 }

func (p ports) has(port uint16) bool {
	if p == (ports{}) {
		return port >= 1024
	}
	return p.first <= port && port <= p.last
}

// run transfers in every mode, and wants to see nothing left open.
func (r trip) run(t *testing.T, top *lab.Topology, gateways []*gateway) {
	s := startServer(t, top.Server, r.server)
	c, err := ftp.Connect(t.Context(), r.contact, ftp.Options{Dial: top.Client.Dial, Listen: top.Client.Listen})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // closed by Quit, if all goes well
	if err := c.Login("anonymous", "lab"); err != nil {
		t.Fatal(err)
	}
	if got := s.lastClient(); got != netip.MustParseAddr(r.seenAs) {
		t.Errorf("the server sees %s, want %s", got, r.seenAs)
	}
	for _, mode := range r.modes() {
		t.Run(string(mode), func(t *testing.T) { r.transfer(t, c, s, mode) })
	}
	if err := c.Quit(); err != nil {
		t.Error(err)
	}
	for _, g := range gateways {
		await(t, "every pinhole to be closed", g.nothingOpen)
	}
}

// modes are those that the family has: PASV and PORT cannot name an IPv6
// address (RFC 2428).
func (r trip) modes() []ftp.Mode {
	if netip.MustParseAddrPort(r.contact).Addr().Is6() {
		return []ftp.Mode{ftp.EPSV, ftp.EPRT}
	}
	return []ftp.Mode{ftp.PASV, ftp.EPSV, ftp.PORT, ftp.EPRT}
}

func (r trip) transfer(t *testing.T, c *ftp.Client, s *server, mode ftp.Mode) {
	want, _ := s.files.Get("pub/file")
	sum := sha256.New()
	down, err := c.Retrieve(mode, "pub/file", sum)
	if err != nil {
		t.Fatal(err)
	}
	if got := [sha256.Size]byte(sum.Sum(nil)); got != want.Sum() {
		t.Errorf("downloaded %d bytes, not the %d of the file", down.Bytes, want.Size())
	}
	r.checkTold(t, down, s)

	sent, name := ftp.Random(2, 200_000), "up/"+string(mode)
	if _, err := c.Store(mode, name, sent); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.files.Get(name); got.Sum() != sent.Sum() {
		t.Errorf("uploaded %d bytes, the server has %d or others", sent.Size(), got.Size())
	}
	r.checkList(t, c, mode)
}

func (r trip) checkList(t *testing.T, c *ftp.Client, mode ftp.Mode) {
	t.Helper()
	text, _, err := c.List(mode, "pub")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(text, " file\r\n") {
		t.Errorf("listing of pub: %q", text)
	}
}

// checkTold holds what the far side of an announcement was told: the client
// the address that it knows, the server the one that it sees.
func (r trip) checkTold(t *testing.T, down ftp.Transfer, s *server) {
	t.Helper()
	told, address, in := down.Told, netip.MustParseAddrPort(r.contact).Addr(), r.passive
	if down.Mode == ftp.PORT || down.Mode == ftp.EPRT {
		told, address, in = s.lastSentTo(), netip.MustParseAddr(r.seenAs), r.active
	}
	if told.Addr() != address || !in.has(told.Port()) {
		t.Errorf("told %s, want %s and a port of %d-%d", told, address, in.first, in.last)
	}
}

func (g *gateway) nothingOpen() error {
	open, err := g.ask("pinholes", "--json")
	if err == nil && open != "[]" {
		err = fmt.Errorf("pinholes: %s", open)
	}
	return err
}
