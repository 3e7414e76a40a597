package e2e

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

func TestEncryptedSessionPassesAndOpensNothing(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	s := newScene(t, lab.Inbound, tlsSettings(t)...)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	head, err := s.curl(t, ftp.EPSV, "-k", "--ssl-reqd", "-I", s.url("pub/file"))
	if err != nil || !strings.Contains(head, fmt.Sprintf("Content-Length: %d", fileSize)) {
		t.Errorf("curl: %q, %v", head, err)
	}

	c := s.dialClient(t)
	says(t, c, "PASV", 530)
	says(t, c, "AUTH TLS", 234)
	inner := tls.Client(c.Control(), &tls.Config{InsecureSkipVerify: true}) // the server is the lab's own
	try(t, inner.SetDeadline(time.Now().Add(waitTimeout)))
	try(t, inner.Handshake())
	replies := bufio.NewReader(inner)
	ask := func(line, code string) string {
		_, err := fmt.Fprintf(inner, "%s\r\n", line)
		try(t, err)
		reply, err := replies.ReadString('\n')
		if err != nil || !strings.HasPrefix(reply, code) {
			t.Fatalf("%s: %q, %v; want %s", line, reply, err, code)
		}
		return reply
	}
	ask("USER anonymous", "230")
	if open := g.sessions(t); len(open) != 1 || open[0].State != "opaque" {
		t.Errorf("sessions: %+v", open)
	}
	var port uint16
	_, err = fmt.Sscanf(ask("EPSV", "229"), "229 Entering Extended Passive Mode (|||%d|)", &port)
	try(t, err)
	if s.reaches(t, port) {
		t.Errorf("the encrypted port %d is open", port)
	}
	if open := g.pinholes(t); len(open) > 0 {
		t.Errorf("promised: %+v", open)
	}
	try(t, g.differs(t))
	ask("NOOP", "200")
	ask("QUIT", "221")
}

func TestRefusedAuthLeavesTheSessionReadable(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	c := s.connect(t)
	reply, err := c.Cmd("AUTH TLS")
	if err != nil || reply.Code < 500 {
		t.Fatalf("AUTH TLS: %v, %v", reply, err)
	}
	if open := g.sessions(t); len(open) != 1 || open[0].State != "readable" {
		t.Errorf("sessions: %+v", open)
	}
	for _, m := range allModes() {
		fetch(t, c, s.server.files, m, "pub/file")
	}
}

func TestTLSCanBeRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound, append(tlsSettings(t), "log_ftp_protocol=YES")...)
	startGateway(t, s.Gateway, settings{listeners: strings.Replace(frontingClient, "source", "tls: refuse, source", 1)})
	c := s.connect(t)
	says(t, c, "AUTH TLS", 534)
	says(t, c, "auth ssl", 534)
	for _, m := range allModes() {
		fetch(t, c, s.server.files, m, "pub/file")
	}
	if asked := s.server.logged(t, `FTP command: Client "[^"]*", "(AUTH[^"]*)"`); len(asked) > 0 {
		t.Errorf("the server was asked %q", asked)
	}
}

// tlsSettings makes a certificate and returns what vsftpd needs to use it.
func tlsSettings(t *testing.T) []string {
	t.Helper()
	private, cert := newCertificate(t)
	file := filepath.Join(publicDir(t), "server.pem")
	text := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})...)
	try(t, os.WriteFile(file, text, 0o600))
	return []string{
		"ssl_enable=YES", "allow_anon_ssl=YES", "force_anon_logins_ssl=NO", "force_anon_data_ssl=NO",
		"require_ssl_reuse=NO", "ssl_ciphers=HIGH", "rsa_cert_file=" + file, "rsa_private_key_file=" + file,
	}
}

// newCertificate returns a key and a certificate that it has signed itself, in
// DER.
func newCertificate(t *testing.T) (private, cert []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	try(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ftp.example.net"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	cert, err = x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	try(t, err)
	private, err = x509.MarshalPKCS8PrivateKey(key)
	try(t, err)
	return private, cert
}
