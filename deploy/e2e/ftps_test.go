package e2e

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// endsTLS returns a listener's setting by which the gateway is the end of the
// clients' TLS, with more of that mapping: ", key: value".
func endsTLS(t *testing.T, mode, more string) string {
	t.Helper()
	dir := publicDir(t)
	cert, key := writePair(t, dir)
	return fmt.Sprintf("tls: {mode: %s, certificate: %s, key: %s%s}", mode, cert, key, more)
}

// writePair writes a new certificate and its key into a folder.
func writePair(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	private, certificate := newCertificate(t)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	try(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600))
	try(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return cert, key
}

// Certificates that change on disk are in force soon, without a reload; what
// does not fit leaves the old one in force.
func TestCertificatesAreRenewed(t *testing.T) {
	t.Parallel()
	need(t, "openssl")
	s := newHosts(t, lab.Inbound)
	dir := publicDir(t)
	cert, key := writePair(t, dir)
	g := startGateway(t, s.Gateway, settings{listeners: fmt.Sprintf("[{name: legacy, listen: 203.0.113.1:990, server: 198.18.1.20:21, "+
		"tls: {mode: require, certificate: %s, key: %s, implicit: true}}]", cert, key)})
	shown := func() string {
		out, err := run(t, s.Client, "sh", "-c", `openssl s_client -connect "$1:990" </dev/null 2>/dev/null | openssl x509 -noout -fingerprint`, "sh", s.Contact.String())
		try(t, err)
		return out
	}
	first := shown()
	try(t, os.WriteFile(key, []byte("half a fi"), 0o600))
	within(t, 2*endTimeout, "a bad pair is said", g.logged("certificates_failed"))
	if now := shown(); now != first {
		t.Errorf("a bad pair has put another certificate in force: %s", now)
	}
	writePair(t, dir)
	within(t, 2*endTimeout, "the new pair is in force", g.logged("certificates_renewed"))
	if now := shown(); now == first || now == "" {
		t.Errorf("it still shows %s", now)
	}
}

// logged returns a condition: that the log has a word.
func (g *gateway) logged(word string) func() error {
	return func() error {
		text, err := os.ReadFile(g.logFile())
		if err == nil && !strings.Contains(string(text), word) {
			err = fmt.Errorf("no %s in the log", word)
		}
		return err
	}
}

// A folder has one pair a name, which the client's wish selects. One that does not
// fit keeps nothing else from being renewed.
func TestCertificatesComeFromAFolder(t *testing.T) {
	t.Parallel()
	need(t, "openssl")
	s := newHosts(t, lab.Inbound)
	dir := publicDir(t)
	pair := func(name, cert, key string) {
		t.Helper()
		_, err := run(t, s.Client, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
			"-subj", "/CN="+name, "-addext", "subjectAltName=DNS:"+name, "-keyout", filepath.Join(dir, key), "-out", filepath.Join(dir, cert))
		try(t, err)
	}
	pair("one.example", "one.crt", "one.key")
	try(t, os.Mkdir(filepath.Join(dir, "two.example"), 0o700))
	pair("two.example", "two.example/fullchain.pem", "two.example/privkey.pem")
	pair("three.example", "default.pem", "default.key")
	g := startGateway(t, s.Gateway, settings{listeners: fmt.Sprintf("[{name: legacy, listen: 203.0.113.1:990, server: 198.18.1.20:21, "+
		"tls: {mode: require, folder: %s, implicit: true}}]", dir)})
	shown := func(name string) string {
		t.Helper()
		asked := "-noservername"
		if name != "" {
			asked = "-servername " + name
		}
		out, err := run(t, s.Client, "sh", "-c", `openssl s_client -connect "$1:990" `+asked+` </dev/null 2>/dev/null | openssl x509 -noout -subject -fingerprint`, "sh", s.Contact.String())
		try(t, err)
		return out
	}
	for asked, want := range map[string]string{"": "three", "one.example": "one", "two.example": "two", "three.example": "three", "four.example": "three"} {
		if got := shown(asked); !strings.Contains(got, "CN = "+want+".example") {
			t.Errorf("who asks for %q is shown %s", asked, got)
		}
	}
	one := shown("one.example")
	try(t, os.WriteFile(filepath.Join(dir, "one.key"), []byte("half a fi"), 0o600))
	pair("four.example", "four.crt", "four.key")
	within(t, 2*endTimeout, "a bad pair is said", g.logged("certificates_failed"))
	within(t, 2*endTimeout, "the new pair is in force", g.logged("certificates_renewed"))
	if got := shown("four.example"); !strings.Contains(got, "CN = four.example") {
		t.Errorf("beside a bad pair a new one is not in force: %s", got)
	}
	if got := shown("one.example"); got != one {
		t.Errorf("in the place of a bad pair another one is shown: %s", got)
	}
}

// A client may end the TLS of its control connection once it has logged in, where
// that is allowed.
func TestCCC(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, withTLS(t, "require", ", ccc: allow"))
	for _, mode := range []string{"passive", "active"} {
		s.arrives(t, s.server.files, func(got string) error {
			_, err := s.curl(t, ftp.EPSV, "-k", "--ssl-reqd", "--ftp-ssl-ccc", "--ftp-ssl-ccc-mode", mode, s.url("pub/file"), "-o", got)
			return err
		})
	}
	if log, err := os.ReadFile(g.logFile()); err != nil || strings.Count(string(log), "event=cleared") != 2 {
		t.Errorf("the log does not say that two control connections went on in clear, %v", err)
	}
}

// withTLS is a listener for the scenes' server whose TLS ends at the gateway.
func withTLS(t *testing.T, mode, more string) settings {
	t.Helper()
	return settings{listeners: strings.Replace(frontingClient, "source", endsTLS(t, mode, more)+", source", 1)}
}

// A server that never learned TLS, and clients that must have it.
func TestClientsSpeakTLSToAServerInClear(t *testing.T) {
	t.Parallel()
	need(t, "curl", "lftp", "python3", "wget", "openssl", "gnutls-cli")
	s := newScene(t, lab.Inbound, "log_ftp_protocol=YES")
	files := s.server.files
	g := startGateway(t, s.Gateway, withTLS(t, "require", ""))
	for _, c := range ftpsClients {
		if c.name != "curl ftps://" { // TestImplicitTLS
			s.tryFTPS(t, files, c, c.modes[0], "1.3")
		}
	}
	t.Run("openssl", func(t *testing.T) {
		out, err := run(t, s.Client, "sh", "-c", `{ sleep 1; printf 'USER anonymous\r\nPASS x\r\nFEAT\r\nQUIT\r\n'; sleep 1; } |
			openssl s_client -quiet -starttls ftp -connect "$1:21" 2>/dev/null`, "sh", s.Contact.String())
		if err != nil || !strings.Contains(out, "230 ") || !strings.Contains(out, " AUTH TLS\r\n PBSZ\r\n PROT\r\n211 End") {
			t.Errorf("%q, %v", out, err)
		}
	})
	t.Run("in clear", func(t *testing.T) {
		c := s.dialClient(t)
		says(t, c, "USER anonymous", 530)
		says(t, c, "PASS x", 530)
	})
	if asked := s.server.logged(t, `FTP command: Client "[^"]*", "((?:AUTH|PBSZ|PROT)[^"]*)"`); len(asked) > 0 {
		t.Errorf("the server was asked %q", asked)
	}
	g.closedAgain(t)
}

func TestImplicitTLS(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	s := newScene(t, lab.Inbound)
	w := withTLS(t, "require", ", implicit: true")
	w.listeners = strings.Replace(w.listeners, "203.0.113.1:21,", "203.0.113.1:990,", 1)
	startGateway(t, s.Gateway, w)
	s.arrives(t, s.server.files, func(got string) error {
		_, err := s.curl(t, ftp.EPSV, "-k", "ftps://"+urlHost(s.Contact)+":990/pub/file", "-o", got)
		return err
	})
}

// Who resumes the TLS session of the control connection is let in, and who
// does not is cut off; the table in deploy/doc/ftps.md is from here. With TLS
// 1.2 curl resumes without tickets, which crypto/tls does not know; ftplib
// never resumes.
func TestDataMustResumeItsControlConnection(t *testing.T) {
	t.Parallel()
	need(t, "curl", "lftp", "python3", "wget", "openssl", "gnutls-cli")
	s := newScene(t, lab.Inbound)
	files := s.server.files
	g := startGateway(t, s.Gateway, withTLS(t, "require", ", data_session: require"))
	for _, c := range []struct {
		client, version string
		letIn           bool
	}{
		{"curl", "1.2", false}, {"curl", "1.3", true}, {"lftp", "1.2", true}, {"lftp", "1.3", true},
		{"wget", "1.2", true}, {"wget", "1.3", true}, {"ftplib", "1.2", false}, {"ftplib", "1.3", false},
		{"openssl s_client", "1.2", false}, {"openssl s_client", "1.3", false}, {"gnutls-cli", "1.2", false}, {"gnutls-cli", "1.3", false},
	} {
		t.Run(c.client+" "+c.version, func(t *testing.T) {
			client := ftpsClients[slices.IndexFunc(ftpsClients, func(f ftpsClient) bool { return f.name == c.client })]
			m := client.modes[len(client.modes)-1]
			if c.letIn {
				s.tryFTPS(t, files, client, m, c.version)
				return
			}
			got := filepath.Join(s.dir, c.client+c.version)
			if err := client.down(s, t, m, c.version, got); err == nil {
				t.Error("it was let in")
			}
			if all, err := os.ReadFile(got); err == nil && len(all) > 0 {
				t.Errorf("%d bytes came through", len(all))
			}
		})
	}
	if log, err := os.ReadFile(g.logFile()); err != nil || !strings.Contains(string(log), "does not resume") {
		t.Errorf("the log says nothing of it, %v", err)
	}
}

// lftpTLS are lftp's settings for TLS of one version.
func lftpTLS(version string) string {
	return "set ftp:ssl-allow-anonymous yes; set ssl:verify-certificate no; set ftp:ssl-force yes; set ftp:ssl-protect-data yes; " +
		"set ftp:ssl-protect-list yes; set ssl:priority NORMAL:-VERS-ALL:+VERS-TLS" + version + "; set net:timeout 8; set net:max-retries 1; "
}

// A server that insists on TLS, and on data connections that resume it, with
// clients that know none, or their own.
func TestGatewaySpeaksTLSWithTheServer(t *testing.T) {
	t.Parallel()
	need(t, "curl", "lftp")
	s := newScene(t, lab.Inbound, append(tlsSettings(t), "require_ssl_reuse=YES", "force_anon_logins_ssl=YES", "force_anon_data_ssl=YES")...)
	files := s.server.files
	const servers = "server_tls: {mode: explicit, verify: false}"
	t.Run("clients in clear", func(t *testing.T) {
		g := startGateway(t, s.Gateway, settings{listeners: strings.Replace(frontingClient, "source", servers+", source", 1)})
		s.everyClient(t, files, allModes()...)
		c := s.connect(t)
		says(t, c, "AUTH TLS", 502)
		says(t, c, "PROT C", 502)
		feat := says(t, c, "FEAT", 211)
		if text := strings.Join(feat.Lines, " "); strings.Contains(text, "AUTH") || strings.Contains(text, "PROT") {
			t.Errorf("FEAT tells of what the client cannot have: %s", text)
		}
		try(t, c.Quit())
		g.stop(t)
	})
	t.Run("clients under TLS", func(t *testing.T) {
		g := startGateway(t, s.Gateway, settings{listeners: strings.Replace(frontingClient, "source", servers+", "+endsTLS(t, "require", "")+", source", 1)})
		s.arrives(t, files, func(got string) error {
			_, err := s.curl(t, ftp.EPSV, "-k", "--ssl-reqd", s.url("pub/file"), "-o", got)
			return err
		})
		s.arrives(t, files, func(got string) error {
			_, err := run(t, s.Client, "lftp", "-c", lftpTLS("1.3")+"set ftp:passive-mode off; open "+s.url("")+"; get pub/file -o "+got+
				"; put "+files.name("pub/file")+" -o up/both")
			if err == nil {
				err = differs(files.name("up/both"), files.name("pub/file"))
			}
			return err
		})
		g.stop(t)
	})
	t.Run("a certificate of nobody", func(t *testing.T) {
		g := startGateway(t, s.Gateway, settings{listeners: strings.Replace(frontingClient, "source", "server_tls: explicit, source", 1)})
		if _, err := s.curl(t, ftp.EPSV, s.url("pub/file"), "-o", filepath.Join(s.dir, "got")); err == nil {
			t.Error("the server's certificate was taken for good")
		}
		if log, err := os.ReadFile(g.logFile()); err != nil || !strings.Contains(string(log), "x509: ") {
			t.Errorf("the log does not say why, %v", err)
		}
		g.stop(t)
	})
}
