package packages

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/labtest"
)

// root is that of the repository.
const root = "../../.."

func TestMain(m *testing.M) {
	if os.Getenv("FTPALG_PACKAGE") != "1" {
		fmt.Println("set FTPALG_PACKAGE=1 to test the packages in a Debian tree")
		os.Exit(0)
	}
	if os.Getenv("FTPALG_E2E") != "1" {
		fmt.Println("FTPALG_PACKAGE=1 needs FTPALG_E2E=1, which allows test hosts")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// command runs a program and returns what it says; an error fails the test.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	c := exec.CommandContext(t.Context(), name, args...)
	c.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// build makes the package of a version and returns its path.
func build(t *testing.T, version string) string {
	t.Helper()
	command(t, "make", "-C", root, "package-amd64", "VERSION="+version)
	deb, err := filepath.Abs(filepath.Join(root, "build", "ftpalg_"+version+"_amd64.deb"))
	if err != nil {
		t.Fatal(err)
	}
	return deb
}

// tree is a Debian that is not running.
type tree struct {
	t   *testing.T
	dir string
}

func newTree(t *testing.T) *tree {
	t.Helper()
	dir, err := os.MkdirTemp("", "ftpalg-debian-")
	if err != nil {
		t.Fatal(err)
	}
	// Not through a mount, were one left.
	t.Cleanup(func() { exec.Command("rm", "--recursive", "--force", "--one-file-system", dir).Run() })
	if err := os.Chmod(dir, 0o755); err != nil { // the worker's user must get in
		t.Fatal(err)
	}
	command(t, "debootstrap", "--variant=minbase", "--include=iptables,systemd,logrotate", "bookworm", dir, "http://deb.debian.org/debian")
	return &tree{t, dir}
}

// run runs a program in the tree.
func (d *tree) run(args ...string) string {
	d.t.Helper()
	return command(d.t, "chroot", append([]string{d.dir}, args...)...)
}

func (d *tree) install(deb string) {
	d.t.Helper()
	text, err := os.ReadFile(deb)
	if err == nil {
		err = os.WriteFile(filepath.Join(d.dir, "ftpalg.deb"), text, 0o644)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.run("dpkg", "--install", "/ftpalg.deb")
	os.Remove(filepath.Join(d.dir, "ftpalg.deb"))
}

func (d *tree) path(name string) string { return filepath.Join(d.dir, name) }

func (d *tree) has(name string) bool {
	_, err := os.Lstat(d.path(name))
	return err == nil
}

// files lists everything but what the package manager itself writes.
func (d *tree) files() (all []string) {
	d.t.Helper()
	err := filepath.WalkDir(d.dir, func(path string, e fs.DirEntry, err error) error {
		name := strings.TrimPrefix(path, d.dir)
		switch {
		case err != nil:
			return err
		case slices.Contains([]string{"/proc", "/sys", "/dev", "/var/lib/dpkg", "/var/log", "/var/cache", "/run", "/tmp"}, name):
			return fs.SkipDir
		}
		all = append(all, name)
		return nil
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return all
}

func TestPackageIsInstalledUsedUpgradedAndPurged(t *testing.T) {
	older, newer := build(t, "0.8.9"), build(t, "0.9.0")
	d := newTree(t)
	before := d.files()

	d.install(older)
	if v := d.run("ftpalg", "version"); !strings.HasPrefix(v, "ftpalg 0.8.9") {
		t.Errorf("it is %s", v)
	}
	if passwd := d.run("getent", "passwd", "ftpalg"); !strings.Contains(passwd, "nologin") {
		t.Errorf("the worker's user: %s", passwd)
	}
	d.run("ftpalg", "check")
	for _, file := range []string{
		"/usr/lib/systemd/system/ftpalg.service", "/usr/share/man/man8/ftpalg.8.gz", "/usr/share/man/man5/ftpalg.yaml.5.gz",
		"/usr/share/bash-completion/completions/ftpalg", "/usr/share/ftpalg/ftpalg.schema.json", "/usr/share/doc/ftpalg/copyright",
	} {
		if !d.has(file) {
			t.Errorf("%s is missing", file)
		}
	}
	if mode := d.run("stat", "-c", "%a %U", "/etc/ftpalg/ftpalg.yaml"); mode != "640 root\n" {
		t.Errorf("the configuration is %s", mode)
	}

	const own = "listeners:\n  - {name: mine, listen: \"203.0.113.1:21\", server: \"198.18.1.20:21\"}\n"
	if err := os.WriteFile(d.path("/etc/ftpalg/ftpalg.yaml"), []byte(own), 0o640); err != nil {
		t.Fatal(err)
	}
	d.carries(t, nil, func(socket string) {
		d.install(newer)
		command(t, d.path("/usr/bin/ftpalg"), "upgrade", "--socket", socket)
		if s := command(t, d.path("/usr/bin/ftpalg"), "status", "--json", "--socket", socket); !strings.Contains(s, `"version":"0.9.0`) && !strings.Contains(s, `"version": "0.9.0`) {
			t.Errorf("after the upgrade this serves: %s", s)
		}
	})
	if v := d.run("ftpalg", "version"); !strings.HasPrefix(v, "ftpalg 0.9.0") {
		t.Errorf("after the upgrade it is %s", v)
	}
	if text, err := os.ReadFile(d.path("/etc/ftpalg/ftpalg.yaml")); err != nil || string(text) != own {
		t.Errorf("the upgrade changed the configuration: %v\n%s", err, text)
	}

	d.run("dpkg", "--remove", "ftpalg")
	if d.has("/usr/bin/ftpalg") || !d.has("/etc/ftpalg/ftpalg.yaml") {
		t.Error("removal leaves the program, or takes the configuration away")
	}
	d.run("dpkg", "--purge", "ftpalg")
	left := d.files()
	left = slices.DeleteFunc(left, func(name string) bool { return slices.Contains(before, name) })
	// The user stays, as Debian's own packages leave it, so that its number is
	// nobody else's; systemd keeps copies of what it changed for it.
	left = slices.DeleteFunc(left, func(name string) bool {
		return slices.Contains([]string{"/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/etc/.pwd.lock"}, name)
	})
	if len(left) > 0 {
		t.Errorf("left behind: %s", strings.Join(left, ", "))
	}
	if d.has("/var/log/ftpalg") {
		t.Error("left behind: /var/log/ftpalg")
	}
}

// carries runs the installed gateway at an edge, by this command line in the tree
// (nil: ftpalg run), has a client download slowly, and calls during while it
// does: the download must come whole.
func (d *tree) carries(t *testing.T, line []string, during func(socket string)) {
	t.Helper()
	p := labtest.New(t, lab.Inbound)
	for _, err := range []error{p.Gateway.Strict(), os.MkdirAll(d.path("/run/ftpalg"), 0o755)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	files := serve(t, p)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	// What is mounted is seen by the gateway alone, and goes with it.
	if line == nil {
		line = []string{"ftpalg", "run"}
	}
	g := p.Gateway.Command(ctx, "unshare", append([]string{"--mount", "sh", "-euc", `
for m in proc sys dev; do mount --rbind "/$m" "$1/$m"; done
exec chroot "$@"`, "sh", d.dir}, line...)...)
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	g.Stdout, g.Stderr = log, log
	if err := g.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the gateway is ready", func() error {
		out, err := exec.Command(d.path("/usr/bin/ftpalg"), "status", "--socket", d.path("/run/ftpalg/admin.sock")).CombinedOutput()
		if err != nil {
			text, _ := os.ReadFile(log.Name())
			return fmt.Errorf("%w: %s%s", err, out, text)
		}
		return nil
	})
	if status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.Process.Pid)); err != nil || !strings.Contains(string(status), "Name:\tftpalg") {
		t.Errorf("it runs as %.40s, %v", status, err)
	}
	got := filepath.Join(t.TempDir(), "got")
	download := p.Client.Command(t.Context(), "curl", "-sS", "-m", "120", "--limit-rate", "2M", "-o", got, "ftp://203.0.113.1/pub/big")
	if err := download.Start(); err != nil {
		t.Fatal(err)
	}
	socket := d.path("/run/ftpalg/admin.sock")
	during(socket)
	if err := download.Wait(); err != nil {
		t.Fatalf("the download: %v", err)
	}
	command(t, "cmp", got, filepath.Join(files, "pub", "big"))
	for _, process := range d.openers(t) {
		if err := syscall.Kill(process, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Wait(); err != nil {
		t.Errorf("the gateway ended with %v", err)
	}
	await(t, "the gateway has ended", func() error {
		if left := d.openers(t); len(left) > 0 {
			return fmt.Errorf("processes %v run", left)
		}
		return nil
	})
}

// openers returns the processes of `ftpalg run` in the tree: after an upgrade
// another one than was started.
func (d *tree) openers(t *testing.T) (found []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range all {
		dir := filepath.Dir(file)
		line, err := os.ReadFile(file)
		root, linked := os.Readlink(filepath.Join(dir, "root"))
		if err == nil && linked == nil && (root == d.dir || root == d.dir+"/mnt") && strings.Contains(string(line), "ftpalg\x00run\x00") {
			n, _ := strconv.Atoi(filepath.Base(dir))
			found = append(found, n)
		}
	}
	return found
}

// serve starts a server with a file that takes a while.
func serve(t *testing.T, p *lab.Topology) (files string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "ftpalg-e2e-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	files = filepath.Join(dir, "files")
	conf := fmt.Sprintf("background=NO\nlisten=YES\nlisten_address=%s\nanonymous_enable=YES\nseccomp_sandbox=NO\nisolate_network=NO\nanon_root=%s\nsecure_chroot_dir=%s\n", p.Own, files, filepath.Join(dir, "empty"))
	for _, err := range []error{
		os.Chmod(dir, 0o755), os.MkdirAll(filepath.Join(files, "pub"), 0o755), os.Mkdir(filepath.Join(dir, "empty"), 0o755),
		os.WriteFile(filepath.Join(files, "pub", "big"), make([]byte, 20<<20), 0o644), os.WriteFile(filepath.Join(dir, "vsftpd.conf"), []byte(conf), 0o600),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Server.Command(context.WithoutCancel(t.Context()), "vsftpd", filepath.Join(dir, "vsftpd.conf")).Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the server listens", func() error {
		c, err := p.Server.Dial(t.Context(), "tcp", "", p.Own.String()+":21")
		if err == nil {
			c.Close()
		}
		return err
	})
	return files
}

func await(t *testing.T, what string, ok func() error) {
	t.Helper()
	var err error
	for range 200 {
		if err = ok(); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s: %v", what, err)
}
