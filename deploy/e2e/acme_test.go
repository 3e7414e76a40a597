package e2e

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// pebble is the test authority of Let's Encrypt.
const pebble = "github.com/letsencrypt/pebble/v2/cmd/"

// pebbleVersion is that of both of its programs.
const pebbleVersion = "@v2.10.2"

// startAuthority starts pebble and its name server, which has every name at answers,
// on a host, and returns its directory and the file of its own certificate.
func startAuthority(t *testing.T, host *lab.Host, own, answers netip.Addr, httpPort, tlsPort int) (directory, ca string) {
	t.Helper()
	dir := publicDir(t)
	install := exec.Command("go", "install", pebble+"pebble"+pebbleVersion, pebble+"pebble-challtestsrv"+pebbleVersion)
	install.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=-mod=mod", "CGO_ENABLED=0")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install pebble: %v\n%s", err, out)
	}
	ca, key := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.key")
	_, err := run(t, host, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
		"-subj", "/CN=authority", "-addext", "subjectAltName=IP:"+own.String(), "-keyout", key, "-out", ca)
	try(t, err)
	config, err := json.Marshal(map[string]any{"pebble": map[string]any{
		"listenAddress": netip.AddrPortFrom(own, 14000).String(), "managementListenAddress": netip.AddrPortFrom(own, 15000).String(),
		"certificate": ca, "privateKey": key, "httpPort": httpPort, "tlsPort": tlsPort,
		"ocspResponderURL": "", "externalAccountBindingRequired": false,
		"profiles": map[string]any{"default": map[string]any{"description": "the only one", "validityPeriod": 7776000}},
	}})
	try(t, err)
	file := filepath.Join(dir, "pebble.json")
	try(t, os.WriteFile(file, config, 0o600))
	names := netip.AddrPortFrom(own, 8053).String()
	start(t, host, filepath.Join(dir, "pebble-challtestsrv"), "-defaultIPv6", "", "-defaultIPv4", answers.String(), "-dnsserver", names,
		"-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-management", netip.AddrPortFrom(own, 8055).String())
	start(t, host, "env", "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=20", filepath.Join(dir, "pebble"), "-config", file, "-dnsserver", names)
	awaitListener(t, host, netip.AddrPortFrom(own, 14000))
	return "https://" + netip.AddrPortFrom(own, 14000).String() + "/dir", ca
}

// A listener has its certificate come from an authority by either challenge; the
// process that asks has no privilege; what has come outlives a restart.
func TestCertificatesComeFromAnAuthority(t *testing.T) {
	t.Parallel()
	need(t, "openssl", "curl", "go")
	for _, challenge := range []struct {
		name, key string
		port      int
	}{{"HTTP-01", "http", 5002}, {"TLS-ALPN-01", "tls", 5001}} {
		t.Run(challenge.name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, lab.Inbound)
			directory, ca := startAuthority(t, s.Client, netip.MustParseAddr("203.0.113.10"), s.Contact, 5002, 5001)
			storage := filepath.Join(s.dir, "acme")
			g := startGateway(t, s.Gateway, settings{listeners: fmt.Sprintf("[{name: legacy, listen: 203.0.113.1:21, server: 198.18.1.20:21, tls: {mode: require, "+
				"acme: {names: [ftp.example.net, files.example.net], email: ops@example.net, agree: true, directory: %q, ca: %s, storage: %s, %s: 203.0.113.1:%d}}}]",
				directory, ca, storage, challenge.key, challenge.port)})
			shown := func(name string) string {
				out, err := run(t, s.Client, "sh", "-c", `openssl s_client -connect "$1:21" -starttls ftp -servername "$2" </dev/null 2>/dev/null | openssl x509 -noout -issuer -ext subjectAltName -fingerprint`, "sh", s.Contact.String(), name)
				if err != nil {
					return err.Error()
				}
				return out
			}
			for _, name := range []string{"ftp.example.net", "files.example.net"} {
				within(t, 2*time.Minute, "a certificate for "+name, func() error {
					if got := shown(name); !strings.Contains(got, "Pebble") || !strings.Contains(got, "DNS:"+name) {
						time.Sleep(300 * time.Millisecond)
						return fmt.Errorf("shown is %s", got)
					}
					return nil
				})
			}
			s.arrives(t, s.server.files, func(got string) error {
				_, err := s.curl(t, ftp.EPSV, "-k", "--ssl-reqd", s.url("pub/file"), "-o", got)
				return err
			})
			if out, err := g.ask("cert"); err != nil || !strings.Contains(out, "files.example.net") || !strings.Contains(out, "ftp.example.net") {
				t.Errorf("cert: %v\n%s", err, out)
			}
			s.askerHasNoPrivilege(t)
			before := shown("ftp.example.net")
			g.stop(t)
			g.start(t)
			if after := shown("ftp.example.net"); after != before {
				t.Errorf("after a restart it shows\n%s\nand before\n%s", after, before)
			}
			g.stop(t)
			if left := s.askers(t); len(left) > 0 {
				t.Errorf("processes %v are left", left)
			}
		})
	}
}

// askers are the processes that ask for certificates on the gateway.
func (s *scene) askers(t *testing.T) (pids []string) {
	t.Helper()
	out, err := run(t, s.Gateway, "ip", "netns", "pids", s.Gateway.Namespace())
	try(t, err)
	for _, pid := range strings.Fields(out) {
		if name, err := os.ReadFile("/proc/" + pid + "/comm"); err == nil && strings.TrimSpace(string(name)) == "ftpalg-acme" {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (s *scene) askerHasNoPrivilege(t *testing.T) {
	t.Helper()
	pids := s.askers(t)
	if len(pids) != 1 {
		t.Fatalf("processes %v ask for certificates", pids)
	}
	status, err := os.ReadFile("/proc/" + pids[0] + "/status")
	try(t, err)
	for _, line := range []string{"CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1"} {
		if !strings.Contains(string(status), line) {
			t.Errorf("its status lacks %q", line)
		}
	}
	if strings.Contains(string(status), "Uid:\t0") {
		t.Error("it runs as root")
	}
}
