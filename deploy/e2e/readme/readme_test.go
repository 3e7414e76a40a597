// Package readme runs what the README says: every command in its sh blocks,
// and every configuration in its yaml blocks.
package readme

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
	"ftpalg/deploy/lab/labtest"
)

const root = "../../.."

// blocks returns the README's code blocks of a language.
func blocks(t *testing.T, language string) []string {
	t.Helper()
	return blocksOf(t, "README.md", language)
}

// blocksOf returns a document's code blocks of a language.
func blocksOf(t *testing.T, document, language string) (out []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, document))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range strings.Split(string(text), "```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		out = append(out, block)
	}
	if len(out) == 0 {
		t.Fatalf("%s has no %s block", document, language)
	}
	return out
}

// commands returns the lines of the sh blocks.
func commands(t *testing.T) (out []string) {
	t.Helper()
	for _, b := range blocks(t, "sh") {
		out = append(out, strings.Split(strings.TrimSpace(b), "\n")...)
	}
	return out
}

// machine is a gateway host on which the paths of the README are its own.
type machine struct {
	t    *testing.T
	host *lab.Host
	bin  string
	etc  string
}

func newMachine(t *testing.T, host *lab.Host, config string) *machine {
	t.Helper()
	m := &machine{t: t, host: host, bin: os.Getenv(binFolder), etc: t.TempDir()}
	if err := os.WriteFile(filepath.Join(m.etc, "ftpalg.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return m
}

// command returns a command that sees the test's own /etc/ftpalg and
// /run/ftpalg, and the program on its PATH.
func (m *machine) command(line string) *lab.Command {
	const own = `mkdir -p /etc/ftpalg /run/ftpalg && mount --bind "$0" /etc/ftpalg && mount --bind "$0" /run/ftpalg && exec sh -ec "$1"`
	c := m.host.Command(context.Background(), "unshare", "--mount", "sh", "-ec", own, m.etc, line)
	c.Env = append(os.Environ(), "PATH="+m.bin+":"+os.Getenv("PATH"))
	return c
}

// runs the gateway and returns a function that ends it in an orderly way.
func (m *machine) start(line string) (stop func()) {
	m.t.Helper()
	var log bytes.Buffer
	c := m.command("exec " + line)
	c.Stderr = &log
	if err := c.Start(); err != nil {
		m.t.Fatal(err)
	}
	var err error
	for deadline := time.Now().Add(40 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err = m.command("ftpalg status").Run(); err == nil {
			break
		}
	}
	if err != nil {
		m.t.Fatalf("not ready: %v\n%s", err, log.String())
	}
	return func() {
		m.t.Helper()
		c.Process.Signal(syscall.SIGTERM)
		if err := c.Wait(); err != nil {
			m.t.Errorf("the gateway ended with %v\n%s", err, log.String())
		}
	}
}

// serve starts the lab's FTP server on a host.
func serve(t *testing.T, host *lab.Host, address string) *ftp.Files {
	t.Helper()
	files := ftp.NewFiles(map[string]ftp.Content{"file": ftp.Random(1, 100_000)})
	l, err := host.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &ftp.Server{Files: files, Listen: host.Listen, Dial: host.Dial}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Close()
		<-done
	})
	return files
}

// fetch transfers a file in a mode from address.
func fetch(t *testing.T, from *lab.Host, address string, mode ftp.Mode) {
	t.Helper()
	c, err := ftp.Connect(context.Background(), address, ftp.Options{Dial: from.Dial, Listen: from.Listen})
	if err != nil {
		t.Fatalf("%s from %s: %v", mode, address, err)
	}
	defer c.Close()
	if err := c.Login("anonymous", "x"); err != nil {
		t.Fatalf("%s from %s: %v", mode, address, err)
	}
	var got bytes.Buffer
	if _, err := c.Retrieve(mode, "file", &got); err != nil {
		t.Errorf("%s from %s: %v", mode, address, err)
	}
	if want := ftp.Random(1, 100_000); ftp.Bytes(got.Bytes()).Sum() != want.Sum() {
		t.Errorf("%s from %s: %d bytes came, and not the right ones", mode, address, got.Len())
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestEveryConfigurationWorksAsItStands(t *testing.T) {
	for i, use := range []struct {
		topology func(context.Context, string) (*lab.Topology, error)
		servers  []string
		clients  []string // where the client connects
	}{
		{lab.Inbound, []string{"198.18.1.20:21"}, []string{"203.0.113.1:21"}},
		{lab.Outbound, []string{"203.0.113.20:21"}, []string{"203.0.113.20:21"}},
		{lab.Inbound, []string{"198.18.1.20:21", "198.18.1.20:2121"}, []string{"203.0.113.1:21", "203.0.113.1:2121"}},
	} {
		t.Run(fmt.Sprint("use ", i+1), func(t *testing.T) {
			net := labtest.New(t, use.topology)
			must(t, net.Gateway.Strict())
			for _, s := range use.servers {
				serve(t, net.Server, s)
			}
			m := newMachine(t, net.Gateway, blocks(t, "yaml")[i])
			stop := m.start("ftpalg run")
			defer stop()
			for _, address := range use.clients {
				for _, mode := range []ftp.Mode{ftp.PASV, ftp.EPSV, ftp.PORT, ftp.EPRT} {
					fetch(t, net.Client, address, mode)
				}
			}
		})
	}
}

func TestEveryCommandWorksAsItStands(t *testing.T) {
	net := labtest.New(t, lab.Inbound)
	must(t, net.Gateway.Strict())
	serve(t, net.Server, "198.18.1.20:21")
	m := newMachine(t, net.Gateway, blocks(t, "yaml")[0])
	lines := commands(t)

	// These have tests of their own: the whole test run, the demo's, and
	// TestInstallPutsEverythingInPlace.
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "make ") })
	run := slices.IndexFunc(lines, func(l string) bool { return strings.HasPrefix(l, "ftpalg run ") })
	cleanup := slices.Index(lines, "ftpalg cleanup")
	if run < 0 || cleanup < 0 {
		t.Fatalf("the README lacks `ftpalg run` or `ftpalg cleanup`: %q", lines)
	}
	stop := m.start(lines[run])
	c, err := ftp.Connect(t.Context(), "203.0.113.1:21", ftp.Options{Dial: net.Client.Dial}) // session 1
	must(t, err)
	defer c.Close()
	for i, l := range lines {
		if i == run || i == cleanup {
			continue
		}
		if out, err := m.command(l).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", l, err, out)
		} else {
			t.Logf("$ %s\n%s", l, out)
		}
	}
	stop()
	if out, err := m.command(lines[cleanup]).CombinedOutput(); err != nil || !strings.Contains(string(out), "nothing was left") {
		t.Errorf("after an orderly end %s says %q, %v", lines[cleanup], out, err)
	}
}

func TestInstallPutsEverythingInPlace(t *testing.T) {
	const below = "make install DESTDIR=/tmp/ftpalg-root"
	if !slices.Contains(commands(t), below) {
		t.Fatalf("the README no longer says %q", below)
	}
	dir := t.TempDir()
	install := exec.Command("make", "install", "DESTDIR="+dir)
	install.Dir = root
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("install: %v\n%s", err, out)
	}
	program := filepath.Join(dir, "usr/bin/ftpalg")
	if out, err := exec.Command(program, "version").Output(); err != nil || !strings.HasPrefix(string(out), "ftpalg ") {
		t.Errorf("version says %q, %v", out, err)
	}
	if out, err := exec.Command(program, "check", "--config", filepath.Join(dir, "etc/ftpalg/ftpalg.yaml")).CombinedOutput(); err != nil {
		t.Errorf("the installed configuration: %v\n%s", err, out)
	}
	for _, c := range append(blocksOf(t, "deploy/doc/ftps.md", "yaml"), blocksOf(t, "deploy/doc/balancers.md", "yaml")...) {
		file := filepath.Join(dir, "ftps.yaml")
		if err := os.WriteFile(file, []byte(c), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(program, "check", "--config", file).CombinedOutput(); err != nil {
			t.Errorf("a configuration of the documents: %v\n%s", err, out)
		}
	}
	for _, f := range []string{
		"usr/lib/systemd/system/ftpalg.service", "usr/lib/sysctl.d/90-ftpalg.conf", "usr/lib/modules-load.d/ftpalg.conf",
		"etc/logrotate.d/ftpalg", "usr/share/doc/ftpalg/events.md", "usr/share/doc/ftpalg/ftps.md", "usr/share/doc/ftpalg/monitoring/alerts.yaml",
	} {
		if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
			t.Error(err)
		}
	}
}
