package lab_test

import (
	"context"
	"crypto/sha256"
	"net/netip"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
	"ftpalg/deploy/lab/labtest"
)

func TestEveryModeCrossesARouter(t *testing.T) {
	tests := []struct {
		name     string
		topology func(context.Context, string) (*lab.Topology, error)
		client   string
		modes    []ftp.Mode
	}{
		{"IPv4", lab.Routed, "203.0.113.10", []ftp.Mode{ftp.PASV, ftp.EPSV, ftp.PORT, ftp.EPRT}},
		{"IPv6", lab.IPv6, "2001:db8:1::10", []ftp.Mode{ftp.EPSV, ftp.EPRT}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			top := labtest.New(t, tt.topology)
			files := serve(t, top)
			client := connect(t, top)
			for _, mode := range tt.modes {
				t.Run(string(mode), func(t *testing.T) {
					transfer := moveFiles(t, client, files, mode)
					checkEnds(t, top, transfer, netip.MustParseAddr(tt.client))
				})
			}
			if err := client.Quit(); err != nil {
				t.Error(err)
			}
		})
	}
}

// serve starts the lab's server on the server host with a file, pub/file.
func serve(t *testing.T, top *lab.Topology) *ftp.Files {
	t.Helper()
	files := ftp.NewFiles(map[string]ftp.Content{"pub/file": ftp.Random(1, 3_000_000)})
	server := &ftp.Server{Files: files, Listen: top.Server.Listen, Dial: top.Server.Dial}
	listener, err := top.Server.Listen("tcp", netip.AddrPortFrom(top.Own, 21).String())
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return files
}

func connect(t *testing.T, top *lab.Topology) *ftp.Client {
	t.Helper()
	client, err := ftp.Connect(t.Context(), netip.AddrPortFrom(top.Contact, 21).String(),
		ftp.Options{Dial: top.Client.Dial, Listen: top.Client.Listen})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.Login("anonymous", "lab"); err != nil {
		t.Fatal(err)
	}
	return client
}

// moveFiles downloads, uploads and lists, and returns the download.
func moveFiles(t *testing.T, client *ftp.Client, files *ftp.Files, mode ftp.Mode) ftp.Transfer {
	t.Helper()
	want, _ := files.Get("pub/file")
	sum := sha256.New()
	down, err := client.Retrieve(mode, "pub/file", sum)
	if err != nil {
		t.Fatal(err)
	}
	if got := [sha256.Size]byte(sum.Sum(nil)); got != want.Sum() || down.Bytes != want.Size() {
		t.Errorf("downloaded %d bytes, sum %x; want %d, %x", down.Bytes, got, want.Size(), want.Sum())
	}

	sent, upload := ftp.Random(2, 1_234_567), "up/"+string(mode)
	if _, err := client.Store(mode, upload, sent); err != nil {
		t.Fatal(err)
	}
	if got, _ := files.Get(upload); got.Sum() != sent.Sum() {
		t.Errorf("uploaded %d bytes, the server has %d or others", sent.Size(), got.Size())
	}

	text, _, err := client.List(mode, "pub")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(text, " file\r\n") {
		t.Errorf("listing of pub: %q", text)
	}
	return down
}

// checkEnds holds that the announced address and the peer are the hosts' own:
// nothing is translated, and active connections come from port 20.
func checkEnds(t *testing.T, top *lab.Topology, transfer ftp.Transfer, client netip.Addr) {
	t.Helper()
	switch transfer.Mode {
	case ftp.PASV, ftp.EPSV:
		if transfer.Told.Addr() != top.Own || transfer.Peer != transfer.Told {
			t.Errorf("told %s, connected to %s; want a port of %s", transfer.Told, transfer.Peer, top.Own)
		}
	default:
		if want := netip.AddrPortFrom(top.Own, 20); transfer.Told.Addr() != client || transfer.Peer != want {
			t.Errorf("told %s, connected from %s; want %s and %s", transfer.Told, transfer.Peer, client, want)
		}
	}
}
