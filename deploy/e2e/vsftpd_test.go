package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// vsftpdSettings make a legacy server: it takes any high port, nobody can tell
// it not to, and it believes that its own address is the one that clients see.
// Its children stay in their host's namespace, so that they end with the host.
const vsftpdSettings = `background=NO
anonymous_enable=YES
no_anon_password=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_umask=022
write_enable=YES
port_enable=YES
connect_from_port_20=YES
seccomp_sandbox=NO
isolate_network=NO
max_clients=0
max_per_ip=0
pasv_min_port=20000
pasv_max_port=29999
xferlog_enable=YES
`

// What every server has in pub.
const (
	fileSize  = 3_000_000
	smallSize = 1_000
)

// serverTimeout bounds a server's start.
const serverTimeout = 30 * time.Second

// vsftpd is a running server.
type vsftpd struct {
	host    *lab.Host
	files   *folder
	log     string
	command *lab.Command
}

// startVsftpd starts a server at port 21 of own and waits until it listens.
func startVsftpd(t *testing.T, host *lab.Host, own netip.Addr, settings ...string) *vsftpd {
	t.Helper()
	dir := publicDir(t)
	files := newFolder(t, filepath.Join(dir, "files"))
	empty, conf := filepath.Join(dir, "empty"), filepath.Join(dir, "vsftpd.conf")
	try(t, os.Mkdir(empty, 0o755))
	s := &vsftpd{host: host, files: files, log: filepath.Join(dir, "vsftpd.log")}
	lines := []string{"anon_root=" + files.path, "secure_chroot_dir=" + empty, "vsftpd_log_file=" + s.log}
	if own.Is6() {
		lines = append(lines, "listen_ipv6=YES", "listen_address6="+own.String())
	} else {
		lines = append(lines, "listen=YES", "listen_address="+own.String())
	}
	lines = append(lines, settings...)
	try(t, os.WriteFile(conf, []byte(vsftpdSettings+strings.Join(lines, "\n")+"\n"), 0o600))
	s.command = start(t, host, "vsftpd", conf)
	awaitListener(t, host, netip.AddrPortFrom(own, 21))
	t.Cleanup(func() { showIfFailed(t, s.log) })
	return s
}

// start starts a process on a host that goes with the lab.
func start(t *testing.T, host *lab.Host, name string, args ...string) *lab.Command {
	t.Helper()
	c := host.Command(context.WithoutCancel(t.Context()), name, args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	try(t, c.Start())
	t.Cleanup(func() {
		if t.Failed() && out.Len() > 0 {
			t.Logf("%s said: %s", name, out.Bytes())
		}
	})
	return c
}

// awaitListener waits until something listens at an address of the host.
func awaitListener(t *testing.T, host *lab.Host, at netip.AddrPort) {
	t.Helper()
	within(t, serverTimeout, "a server listens at "+at.String(), func() error {
		c, err := host.Dial(t.Context(), "tcp", "", at.String())
		if err != nil {
			return err
		}
		return c.Close()
	})
}

// showLines is how much of a log a failed test shows.
const showLines = 40

func showIfFailed(t *testing.T, log string) {
	if !t.Failed() {
		return
	}
	text, err := os.ReadFile(log)
	if err != nil {
		t.Log(err)
		return
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	t.Logf("end of %s:\n%s", filepath.Base(log), strings.Join(lines[max(0, len(lines)-showLines):], "\n"))
}

// logged returns what regular expression's group matches in the server's log.
func (s *vsftpd) logged(t *testing.T, pattern string) []string {
	t.Helper()
	text, err := os.ReadFile(s.log)
	try(t, err)
	var found []string
	for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
		found = append(found, string(m[1]))
	}
	return found
}

// seen returns the addresses that the server saw clients come from, its own
// excepted.
func (s *vsftpd) seen(t *testing.T, own netip.Addr) map[netip.Addr]bool {
	t.Helper()
	seen := make(map[netip.Addr]bool)
	for _, text := range s.logged(t, `CONNECT: Client "([^"]*)"`) {
		addr, err := netip.ParseAddr(text)
		try(t, err)
		if addr.Unmap() != own {
			seen[addr.Unmap()] = true
		}
	}
	return seen
}

// killChildren kills the processes that serve sessions.
func (s *vsftpd) killChildren(t *testing.T) {
	t.Helper()
	for _, pid := range descendants(t, s.command.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // its parent's end may have ended it
	}
}

// descendants lists the processes that a process has begotten (proc(5)).
func descendants(t *testing.T, pid int) (found []int) {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
	if err != nil {
		return nil // it has ended
	}
	for _, field := range strings.Fields(string(text)) {
		child, err := strconv.Atoi(field)
		try(t, err)
		found = append(append(found, child), descendants(t, child)...)
	}
	return found
}

// folder holds a server's files as they lie on the disk: pub to be read, up to
// be written by anybody.
type folder struct{ path string }

func newFolder(t *testing.T, path string) *folder {
	t.Helper()
	f := &folder{path}
	for dir, mode := range map[string]os.FileMode{"": 0o755, "pub": 0o755, "up": 0o777} {
		name := filepath.Join(path, dir)
		try(t, os.MkdirAll(name, 0o755))
		try(t, os.Chmod(name, mode))
	}
	f.put(t, "pub/file", ftp.Random(1, fileSize))
	f.put(t, "pub/small", ftp.Random(2, smallSize))
	return f
}

// put writes a file.
func (f *folder) put(t *testing.T, name string, content ftp.Content) {
	t.Helper()
	file, err := os.Create(filepath.Join(f.path, name))
	try(t, err)
	_, err = content.WriteFrom(file, 0)
	try(t, err)
	try(t, file.Close())
}

// name returns where a file lies.
func (f *folder) name(name string) string { return filepath.Join(f.path, name) }

// differs compares two files on the disk.
func differs(got, want string) error {
	g, err := os.ReadFile(got)
	if err != nil {
		return err
	}
	w, err := os.ReadFile(want)
	if err != nil {
		return err
	}
	if !bytes.Equal(g, w) {
		return fmt.Errorf("%s has %d bytes, %s has %d bytes or others", got, len(g), want, len(w))
	}
	return nil
}
