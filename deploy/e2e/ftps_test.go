package e2e

import (
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
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
	logged := func(event string) func() error {
		return func() error {
			text, err := os.ReadFile(g.logFile())
			if err == nil && !strings.Contains(string(text), event) {
				err = fmt.Errorf("no %s in the log", event)
			}
			return err
		}
	}
	first := shown()
	try(t, os.WriteFile(key, []byte("half a fi"), 0o600))
	within(t, 2*endTimeout, "a bad pair is said", logged("certificates_failed"))
	if now := shown(); now != first {
		t.Errorf("a bad pair has put another certificate in force: %s", now)
	}
	writePair(t, dir)
	within(t, 2*endTimeout, "the new pair is in force", logged("certificates_renewed"))
	if now := shown(); now == first || now == "" {
		t.Errorf("it still shows %s", now)
	}
}

// withTLS is a listener for the scenes' server whose TLS ends at the gateway.
func withTLS(t *testing.T, mode, more string) settings {
	t.Helper()
	return settings{listeners: strings.Replace(frontingClient, "source", endsTLS(t, mode, more)+", source", 1)}
}

// pythonTLS moves a file down and up, and lists, with ftplib.
const pythonTLS = `
import ftplib, ssl, sys
host, passive, version, down, up, name = sys.argv[1:]
c = ssl._create_unverified_context()
c.minimum_version = c.maximum_version = getattr(ssl.TLSVersion, version)
f = ftplib.FTP_TLS(context=c, timeout=20)
f.connect(host, 21)
f.login("anonymous", "e2e")
f.prot_p()
f.set_pasv(passive == "on")
with open(down, "wb") as got:
    f.retrbinary("RETR pub/file", got.write)
with open(up, "rb") as sent:
    f.storbinary("STOR " + name, sent)
assert "pub/file" in f.nlst("pub"), "the listing lacks the file"
f.quit()
`

// A server that never learned TLS, and clients that must have it.
func TestClientsSpeakTLSToAServerInClear(t *testing.T) {
	t.Parallel()
	need(t, "curl", "lftp", "python3")
	s := newScene(t, lab.Inbound, "log_ftp_protocol=YES")
	files := s.server.files
	g := startGateway(t, s.Gateway, withTLS(t, "require", ""))
	for _, version := range []string{"1.2", "1.3"} {
		// Debian 12's curl 7.88.1 cannot do active mode under TLS: it sends its
		// data in clear, to vsftpd's own TLS too.
		for _, m := range []ftp.Mode{ftp.PASV, ftp.EPSV} {
			t.Run("curl "+string(m)+" TLS "+version, func(t *testing.T) {
				options := []string{"-k", "--ssl-reqd", "--tlsv" + version, "--tls-max", version}
				s.arrives(t, files, func(got string) error {
					_, err := s.curl(t, m, append(options, s.url("pub/file"), "-o", got)...)
					return err
				})
				s.lands(t, files, "c"+string(m)+version, func(name string) error {
					_, err := s.curl(t, m, append(options, "-T", files.name("pub/file"), s.url(name))...)
					return err
				})
			})
		}
		for _, passive := range []string{"on", "off"} {
			t.Run("Python passive "+passive+" TLS "+version, func(t *testing.T) {
				s.arrives(t, files, func(got string) error {
					name := "up/p" + passive + version
					_, err := run(t, s.Client, "python3", "-c", pythonTLS, s.Contact.String(), passive,
						"TLSv"+strings.Replace(version, ".", "_", 1), got, files.name("pub/file"), name)
					if err == nil {
						err = differs(files.name(name), files.name("pub/file"))
					}
					return err
				})
			})
			t.Run("lftp passive "+passive+" TLS "+version, func(t *testing.T) {
				s.arrives(t, files, func(got string) error {
					name := "up/l" + passive + version
					_, err := run(t, s.Client, "lftp", "-c", lftpTLS(version)+"set ftp:passive-mode "+passive+
						"; open "+s.url("")+"; get pub/file -o "+got+"; put "+files.name("pub/file")+" -o "+name)
					if err == nil {
						err = differs(files.name(name), files.name("pub/file"))
					}
					return err
				})
			})
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
	need(t, "curl", "lftp", "python3")
	s := newScene(t, lab.Inbound)
	files := s.server.files
	g := startGateway(t, s.Gateway, withTLS(t, "require", ", data_session: require"))
	clients := map[string]func(version, got string) error{
		"curl": func(version, got string) error {
			_, err := s.curl(t, ftp.EPSV, "-k", "--ssl-reqd", "--tlsv"+version, "--tls-max", version, s.url("pub/file"), "-o", got)
			return err
		},
		"lftp": func(version, got string) error {
			_, err := run(t, s.Client, "lftp", "-c", lftpTLS(version)+"open "+s.url("")+"; get pub/file -o "+got)
			return err
		},
		"Python": func(version, got string) error {
			_, err := run(t, s.Client, "python3", "-c", pythonTLS, s.Contact.String(), "on", "TLSv"+strings.Replace(version, ".", "_", 1),
				got, files.name("pub/file"), "up/p"+version)
			return err
		},
	}
	for _, c := range []struct {
		client, version string
		letIn           bool
	}{
		{"curl", "1.2", false}, {"curl", "1.3", true}, {"lftp", "1.2", true}, {"lftp", "1.3", true},
		{"Python", "1.2", false}, {"Python", "1.3", false},
	} {
		t.Run(c.client+" "+c.version, func(t *testing.T) {
			if c.letIn {
				s.arrives(t, files, func(got string) error { return clients[c.client](c.version, got) })
				return
			}
			got := filepath.Join(s.dir, c.client+c.version)
			if err := clients[c.client](c.version, got); err == nil {
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
