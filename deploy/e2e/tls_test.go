package e2e

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
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

// TLS passes through the gateway, and the server has been told the address and the
// ports that it may announce: its client gets through, others do not, and
// nothing is open before or after.
func TestPassedPortsAreOpenForTheirClientAlone(t *testing.T) {
	t.Parallel()
	need(t, "curl", "lftp")
	s := newScene(t, lab.Inbound, append(tlsSettings(t), "pasv_address=203.0.113.1", "pasv_min_port=21000", "pasv_max_port=21009")...)
	try(t, s.Client.AddAddress("eth0", "203.0.113.11/24"))
	g := startGateway(t, s.Gateway, settings{pinhole: "4s",
		listeners: "[{name: passed, listen: 203.0.113.1:21, server: 198.18.1.20:21, tls: {mode: pass, pass_ports: 21000-21009}}]"})
	reaches := func(from string, port int) bool {
		ctx, cancel := context.WithTimeout(t.Context(), refusedTimeout)
		defer cancel()
		c, err := s.Client.Dial(ctx, "tcp", from+":0", fmt.Sprintf("203.0.113.1:%d", port))
		if err == nil {
			c.Close()
		}
		return admitted(err)
	}
	if reaches("203.0.113.10", 21001) {
		t.Error("a port is open before there is a session")
	}
	for _, m := range []ftp.Mode{ftp.PASV, ftp.EPSV} {
		for range 3 {
			s.arrives(t, s.server.files, func(got string) error {
				_, err := s.curl(t, m, "-k", "--ssl-reqd", s.url("pub/file"), "-o", got)
				return err
			})
		}
	}
	c := s.dialClient(t)
	says(t, c, "AUTH TLS", 234)
	within(t, waitTimeout, "the ports are open", func() error {
		if open := g.pinholes(t); len(open) != 10 {
			return fmt.Errorf("%d pinholes", len(open))
		}
		return nil
	})
	if reaches("203.0.113.11", 21002) {
		t.Error("another client gets in")
	}
	time.Sleep(6 * time.Second) // longer than one promise stands
	for range 2 {               // by the next look it is open once more
		if !reaches("203.0.113.10", 21003) {
			t.Error("its own client does not get in")
		}
		time.Sleep(time.Second)
	}
	before := g.opener(t)
	_, err := g.ask("upgrade")
	try(t, err)
	g.hasSucceeded(t, before)
	within(t, waitTimeout, "the ports are open after an upgrade", func() error {
		if open := g.pinholes(t); len(open) != 10 || !reaches("203.0.113.10", 21004) {
			return fmt.Errorf("%d pinholes", len(open))
		}
		return nil
	})
	try(t, c.Close())
	g.closedAgain(t)
	within(t, closedTimeout, "the ports are closed after the session", func() error { // by the next sweep
		if reaches("203.0.113.10", 21001) {
			return errors.New("one is open")
		}
		return nil
	})
	g.stopSuccessor(t)
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
