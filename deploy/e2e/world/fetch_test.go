package world

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// unpacked is a folder of Debian packages that are not installed: FTP servers
// exclude each other, and none must start its service.
type unpacked struct {
	dir  string
	done map[string]bool
}

func newUnpacked(dir string) *unpacked { return &unpacked{dir: dir, done: map[string]bool{}} }

// fetch downloads a package and those libraries of it which the machine lacks,
// and unpacks them.
func (u *unpacked) fetch(pkg string) error {
	if u.done[pkg] {
		return nil
	}
	u.done[pkg] = true
	debs := filepath.Join(u.dir, "debs", pkg)
	if err := os.MkdirAll(debs, 0o755); err != nil {
		return err
	}
	if _, err := output(debs, "apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", pkg); err != nil {
		return fmt.Errorf("download %s: %w", pkg, err)
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("download %s: %q, %v", pkg, files, err)
	}
	if _, err := output(u.dir, "dpkg-deb", "-x", files[0], filepath.Join(u.dir, "root")); err != nil {
		return fmt.Errorf("unpack %s: %w", pkg, err)
	}
	depends, err := output(u.dir, "dpkg-deb", "-f", files[0], "Depends")
	if err != nil {
		return fmt.Errorf("dependencies of %s: %w", pkg, err)
	}
	for _, library := range libraries(depends) {
		if exec.Command("dpkg-query", "-W", library).Run() != nil {
			if err := u.fetch(library); err != nil {
				return err
			}
		}
	}
	return nil
}

// libraries returns the libraries in a Depends field (Debian Policy 7.1), the
// first alternative of each.
func libraries(depends string) (names []string) {
	for _, one := range strings.Split(depends, ",") {
		first, _, _ := strings.Cut(one, "|")
		if name := strings.Fields(first); len(name) > 0 && strings.HasPrefix(name[0], "lib") {
			names = append(names, name[0])
		}
	}
	return names
}

// environment lets programs be found in the folder, before those of the
// machine.
func (u *unpacked) environment() []string {
	root := filepath.Join(u.dir, "root")
	var path, libs []string
	for _, d := range []string{"usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"} {
		path = append(path, filepath.Join(root, d))
	}
	for _, pattern := range []string{"usr/lib/*-linux-gnu", "lib/*-linux-gnu"} {
		found, _ := filepath.Glob(filepath.Join(root, pattern))
		libs = append(libs, found...)
	}
	return []string{"PATH=" + strings.Join(append(path, os.Getenv("PATH")), ":"), "LD_LIBRARY_PATH=" + strings.Join(libs, ":"), "UNPACKED=" + root}
}

// find returns the path of a program of the folder or of the machine, or "".
func (u *unpacked) find(program string) string {
	i := slices.IndexFunc(u.environment(), func(v string) bool { return strings.HasPrefix(v, "PATH=") })
	for _, dir := range filepath.SplitList(strings.TrimPrefix(u.environment()[i], "PATH=")) {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path
		}
	}
	return ""
}

func output(dir, name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return string(out), nil
}
