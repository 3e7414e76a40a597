package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/debian"
	"ftpalg/deploy/lab/ftp"
)

// Servers of four kinds, each with clients of OpenSSL and GnuTLS, in either
// version of TLS and every mode that the client knows under TLS.
func TestFTPSWithEveryServer(t *testing.T) {
	t.Parallel()
	need(t, "curl", "lftp", "python3", "wget", "gnutls-cli", "openssl")
	const serverTLS = "server_tls: {mode: explicit, verify: false}, "
	for _, server := range []struct {
		name  string
		start func(t *testing.T, s *scene) *folder
		tls   string // with the server
		// logged matches how a transfer of a client that resumes its session went.
		logged string
	}{
		{"vsftpd in clear", func(t *testing.T, s *scene) *folder { return startVsftpd(t, s.Server, s.Own).files }, "",
			`relayed=true tls="TLS 1.3, \w+, resumed" server_tls="" `},
		{"vsftpd with require_ssl_reuse", func(t *testing.T, s *scene) *folder {
			return startVsftpd(t, s.Server, s.Own, append(tlsSettings(t), "require_ssl_reuse=YES", "force_anon_logins_ssl=YES", "force_anon_data_ssl=YES")...).files
		}, serverTLS, `relayed=true tls="TLS 1.3, \w+, resumed" server_tls="TLS 1.3, \w+, resumed" `},
		{"ProFTPD with mod_tls", startProftpdTLS, serverTLS, `relayed=true tls="TLS 1.3, \w+, resumed" server_tls="TLS 1.3, \w+, resumed" `},
		{"pure-ftpd with TLS", startPureFtpdTLS, serverTLS, `relayed=true tls="TLS 1.3, \w+, resumed" server_tls="TLS 1.3, \w+" `},
	} {
		t.Run(server.name, func(t *testing.T) {
			t.Parallel()
			s := newHosts(t, lab.Inbound)
			files := server.start(t, s)
			explicit := strings.Replace(frontingClient, "source", server.tls+endsTLS(t, "require", "")+", source", 1)
			implicit := strings.NewReplacer("legacy", "implicit", "203.0.113.1:21,", "203.0.113.1:990,", "mode: require", "mode: require, implicit: true").Replace(explicit)
			g := startGateway(t, s.Gateway, settings{listeners: strings.TrimSuffix(explicit, "]") + ", " + strings.TrimPrefix(implicit, "[")})
			for _, version := range []string{"1.2", "1.3"} {
				for _, c := range ftpsClients {
					for _, m := range c.modes {
						t.Run(fmt.Sprintf("%s %s TLS %s", c.name, m, version), func(t *testing.T) { s.tryFTPS(t, files, c, m, version) })
					}
				}
			}
			g.closedAgain(t)
			log, err := os.ReadFile(g.logFile())
			try(t, err)
			if told := regexp.MustCompile(server.logged); !told.Match(log) {
				t.Errorf("the log has no line like %s", told)
			}
		})
	}
}

// ftpsClient moves the file pub/file down to a path, and up from sent under a name
// where it can.
type ftpsClient struct {
	name  string
	modes []ftp.Mode
	down  func(s *scene, t *testing.T, m ftp.Mode, version, to string) error
	up    func(s *scene, t *testing.T, m ftp.Mode, version, sent, name string) error
}

// ftpsClients are those that Debian has. Its curl cannot do active mode under TLS: it
// sends its data in clear, to vsftpd's own TLS too. ftplib and lftp choose between
// PASV and EPSV by the address family themselves.
var ftpsClients = []ftpsClient{
	{"curl", []ftp.Mode{ftp.PASV, ftp.EPSV},
		func(s *scene, t *testing.T, m ftp.Mode, version, to string) error {
			_, err := s.curl(t, m, append(curlTLS(version), "--ssl-reqd", s.url("pub/file"), "-o", to)...)
			return err
		},
		func(s *scene, t *testing.T, m ftp.Mode, version, sent, name string) error {
			_, err := s.curl(t, m, append(curlTLS(version), "--ssl-reqd", "-T", sent, s.url(name))...)
			return err
		}},
	{"curl ftps://", []ftp.Mode{ftp.PASV, ftp.EPSV},
		func(s *scene, t *testing.T, m ftp.Mode, version, to string) error {
			_, err := s.curl(t, m, append(curlTLS(version), s.implicitURL("pub/file"), "-o", to)...)
			return err
		},
		func(s *scene, t *testing.T, m ftp.Mode, version, sent, name string) error {
			_, err := s.curl(t, m, append(curlTLS(version), "-T", sent, s.implicitURL(name))...)
			return err
		}},
	{"lftp", []ftp.Mode{ftp.PASV, ftp.PORT},
		func(s *scene, t *testing.T, m ftp.Mode, version, to string) error {
			return s.lftpFTPS(t, m, version, "get pub/file -o "+to)
		},
		func(s *scene, t *testing.T, m ftp.Mode, version, sent, name string) error {
			return s.lftpFTPS(t, m, version, "put "+sent+" -o "+name)
		}},
	{"ftplib", []ftp.Mode{ftp.PASV, ftp.PORT},
		func(s *scene, t *testing.T, m ftp.Mode, version, to string) error {
			return s.pythonFTPS(t, m, version, "down", to)
		},
		func(s *scene, t *testing.T, m ftp.Mode, version, sent, name string) error {
			return s.pythonFTPS(t, m, version, "up", sent, name)
		}},
	{"wget", []ftp.Mode{ftp.PASV, ftp.PORT},
		func(s *scene, t *testing.T, m ftp.Mode, version, to string) error {
			args := []string{"-q", "--no-config", "--tries=2", "--timeout=20", "--no-check-certificate", "--secure-protocol=PFS", "--ciphers=NORMAL:-VERS-ALL:+VERS-TLS" + version,
				"-O", to, strings.Replace(s.url("pub/file"), "ftp:", "ftps:", 1)}
			if m == ftp.PORT {
				args = append(args, "--no-passive-ftp")
			}
			_, err := run(t, s.Client, "wget", args...)
			return err
		}, nil},
	{"openssl s_client", []ftp.Mode{ftp.EPSV}, byHand("openssl", "s_client", "-quiet", "-connect", "HOST:PORT", "-tlsVERSION", "-starttls", "ftp"), nil},
	{"gnutls-cli", []ftp.Mode{ftp.EPSV}, byHand("gnutls-cli", "--logfile=/dev/null", "--no-ca-verification",
		"--priority=NORMAL:-VERS-ALL:+VERS-TLSVERSION", "--port=PORT", "HOST", "--starttls-proto=ftp"), nil},
}

func curlTLS(version string) []string {
	return []string{"-k", "--tlsv" + version, "--tls-max", version}
}

func (s *scene) implicitURL(path string) string {
	return "ftps://" + netip.AddrPortFrom(s.Contact, 990).String() + "/" + path
}

func (s *scene) lftpFTPS(t *testing.T, m ftp.Mode, version, what string) error {
	passive := "on"
	if m == ftp.PORT {
		passive = "off"
	}
	_, err := run(t, s.Client, "lftp", "-c", lftpTLS(version)+"set ftp:passive-mode "+passive+"; open "+s.url("")+"; "+what)
	return err
}

// ftplibTLS moves one file down or up.
const ftplibTLS = `
import ftplib, ssl, sys
host, mode, version, what, path, *name = sys.argv[1:]
c = ssl._create_unverified_context()
c.minimum_version = c.maximum_version = getattr(ssl.TLSVersion, version)
f = ftplib.FTP_TLS(context=c, timeout=20)
f.connect(host, 21)
f.login("anonymous", "e2e")
f.prot_p()
f.set_pasv(mode == "PASV")
assert "pub/file" in f.nlst("pub"), "the listing lacks the file"
if what == "down":
    f.retrbinary("RETR pub/file", open(path, "wb").write)
else:
    f.storbinary("STOR " + name[0], open(path, "rb"))
f.quit()
`

func (s *scene) pythonFTPS(t *testing.T, m ftp.Mode, version string, args ...string) error {
	_, err := run(t, s.Client, "python3", append([]string{"-c", ftplibTLS, s.Contact.String(), string(m), "TLSv" + strings.Replace(version, ".", "_", 1)}, args...)...)
	return err
}

// ftpByHand says what an FTP client says, by two runs of a program of TLS: one for the
// control connection, and one, without what asks for AUTH, for the data.
const ftpByHand = `
import subprocess, sys
host, to, *line = sys.argv[1:]
def begin(port, line):
    line = [word.replace("HOST", host).replace("PORT", port) for word in line]
    return subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
control = begin("21", line)
def await_(*codes):
    for got in control.stdout:
        if got[:3].decode() in codes and got[3:4] == b" ":
            return got.decode()
        if got[:1] in b"45" and got[3:4] == b" ":
            sys.exit(got.decode())
    sys.exit("none of %s" % (codes,))
def ask(command, *codes):
    control.stdin.write(command.encode() + b"\r\n")
    control.stdin.flush()
    return await_(*codes)
if ask("USER anonymous", "331", "230").startswith("331"): # some ask for no password
    ask("PASS x", "230")
ask("PBSZ 0", "200")
ask("PROT P", "200")
ask("TYPE I", "200")
port = ask("EPSV", "229").split("|")[3]
data = begin(port, [word for word in line if "starttls" not in word and word != "ftp"])
ask("RETR pub/file", "150")
open(to, "wb").write(data.stdout.read())
data.stdin.close()
await_("226")
ask("QUIT", "221")
`

func byHand(line ...string) func(*scene, *testing.T, ftp.Mode, string, string) error {
	return func(s *scene, t *testing.T, _ ftp.Mode, version, to string) error {
		args := []string{"-c", ftpByHand, s.Contact.String(), to}
		for _, word := range line {
			as := version
			if line[0] == "openssl" {
				as = strings.Replace(version, ".", "_", 1)
			}
			args = append(args, strings.Replace(word, "VERSION", as, 1))
		}
		_, err := run(t, s.Client, "python3", args...)
		return err
	}
}

func (s *scene) tryFTPS(t *testing.T, files *folder, c ftpsClient, m ftp.Mode, version string) {
	t.Helper()
	s.arrives(t, files, func(to string) error { return c.down(s, t, m, version, to) })
	if c.up != nil {
		s.lands(t, files, strings.Map(fileLetter, c.name+string(m)+version), func(name string) error {
			return c.up(s, t, m, version, files.name("pub/file"), name)
		})
	}
}

func fileLetter(r rune) rune {
	if r == ' ' || r == ':' || r == '/' {
		return '-'
	}
	return r
}

// startProftpdTLS starts ProFTPD as mod_tls is by default: it asks data connections
// to resume the session of their control connection.
func startProftpdTLS(t *testing.T, s *scene) *folder {
	t.Helper()
	dir := publicDir(t)
	u := unpack(t, dir, "proftpd-core", "proftpd-mod-crypto")
	files := newFolder(t, filepath.Join(dir, "files"))
	cert, key := writePair(t, dir)
	conf := filepath.Join(dir, "proftpd.conf")
	text := fmt.Sprintf("ModulePath %s/usr/lib/proftpd\nLoadModule mod_tls.c\n", u.Root()) + proftpdSettings(s.Own, dir, files, fmt.Sprintf(
		"TLSEngine on\nTLSRequired on\nTLSLog %s/tls.log\nTLSECCertificateFile %s\nTLSECCertificateKeyFile %s", dir, cert, key), "")
	try(t, os.WriteFile(conf, []byte(text), 0o644))
	startUnpacked(t, s.Server, u, "proftpd", "--nodaemon", "--config", conf)
	awaitListener(t, s.Server, netip.AddrPortFrom(s.Own, 21))
	t.Cleanup(func() { showIfFailed(t, filepath.Join(dir, "tls.log")) })
	return files
}

func startPureFtpdTLS(t *testing.T, s *scene) *folder {
	t.Helper()
	need(t, "unshare")
	dir := publicDir(t)
	u := unpack(t, dir, "pure-ftpd")
	files := newFolder(t, filepath.Join(dir, "files"))
	cert, key := writePair(t, dir)
	var both []byte
	for _, file := range []string{key, cert} {
		text, err := os.ReadFile(file)
		try(t, err)
		both = append(both, text...)
	}
	pair := filepath.Join(dir, "both.pem")
	try(t, os.WriteFile(pair, both, 0o600))
	line := append(mounted(files.path, homeOfFTP(t)), "env")
	line = append(append(line, u.Environment()...), u.Find("pure-ftpd"), "--anonymousonly", "--dontresolve", "--anonymouscancreatedirs",
		"--tls", "3", "--certfile", pair, "--bind", s.Own.String()+",21")
	start(t, s.Server, line[0], line[1:]...)
	awaitListener(t, s.Server, netip.AddrPortFrom(s.Own, 21))
	return files
}

// unpack fetches Debian packages into a folder below dir, without installing
// them: those of FTP servers exclude each other.
func unpack(t *testing.T, dir string, packages ...string) *debian.Unpacked {
	t.Helper()
	u := debian.NewUnpacked(dir)
	for _, p := range packages {
		try(t, u.Fetch(p))
	}
	return u
}

// startUnpacked starts a program of unpacked packages.
func startUnpacked(t *testing.T, host *lab.Host, u *debian.Unpacked, program string, args ...string) {
	t.Helper()
	start(t, host, "env", append(append(u.Environment(), u.Find(program)), args...)...)
}
