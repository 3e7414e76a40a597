package examples

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/labtest"
)

func startUFW(t *testing.T, h *lab.Host) { labtest.StartUFW(t, h) }

func startFirewalld(t *testing.T, h *lab.Host) { labtest.StartFirewalld(t, h) }

// addDockersRules has the network towards the server be a bridge of Docker's.
func addDockersRules(t *testing.T, h *lab.Host) { labtest.AddDockersRules(t, h, "lan") }

// certificates is where an example has its certificate and key.
const certificates = "/etc/ftpalg/"

// withCertificate makes the certificate that an example names, if it does, and
// returns the text with the folder in which it is.
func withCertificate(t *testing.T, dir, text string) string {
	t.Helper()
	if !strings.Contains(text, certificates+"ftp.crt") {
		return text
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"ftp.example.net"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(
		os.WriteFile(filepath.Join(dir, "ftp.crt"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), 0o600),
		os.WriteFile(filepath.Join(dir, "ftp.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(text, certificates, dir+"/")
}

// underTLS transfers as a client does that insists on TLS, and sees that one in
// clear is refused.
func underTLS(t *testing.T, top *lab.Topology) {
	t.Helper()
	s := startServer(t, top.Server, "198.18.1.20:21")
	want, _ := s.files.Get("pub/file")
	got := filepath.Join(t.TempDir(), "got")
	curl := func(args ...string) (string, error) {
		args = append([]string{"-sS", "-m", "30", "-k", "ftp://203.0.113.1/pub/file", "-o", got}, args...)
		out, err := top.Client.Command(context.Background(), requireTool(t, "curl"), args...).CombinedOutput()
		return string(out), err
	}
	for _, mode := range []string{"--disable-epsv", "--ftp-pasv"} {
		if out, err := curl("--ssl-reqd", mode); err != nil {
			t.Fatalf("%s: %v: %s", mode, err, out)
		}
		if info, err := os.Stat(got); err != nil || info.Size() != want.Size() {
			t.Errorf("%s: %v, %v; want %d bytes", mode, info, err, want.Size())
		}
	}
	if out, err := curl(); err == nil {
		t.Errorf("a client in clear was served: %s", out)
	}
}
