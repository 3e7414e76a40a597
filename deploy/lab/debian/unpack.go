// Package debian unpacks packages of Debian for tests and benchmarks.
package debian

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Unpacked is a folder of Debian packages that are not installed: FTP servers
// exclude each other, and none must start its service.
type Unpacked struct {
	dir  string
	done map[string]bool
}

// NewUnpacked returns a folder without any.
func NewUnpacked(dir string) *Unpacked { return &Unpacked{dir: dir, done: map[string]bool{}} }

// Root is where the packages are unpacked.
func (u *Unpacked) Root() string { return filepath.Join(u.dir, "root") }

// Fetch downloads a package and those libraries of it which the machine lacks,
// and unpacks them.
func (u *Unpacked) Fetch(pkg string) error {
	if u.done[pkg] {
		return nil
	}
	u.done[pkg] = true
	debs := filepath.Join(u.dir, "debs", pkg)
	if err := os.MkdirAll(debs, 0o755); err != nil {
		return err
	}
	if _, err := Output(debs, "apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", pkg); err != nil {
		return fmt.Errorf("download %s: %w", pkg, err)
	}
	files, err := filepath.Glob(filepath.Join(debs, "*.deb"))
	if err != nil || len(files) != 1 {
		return fmt.Errorf("download %s: %q, %v", pkg, files, err)
	}
	if _, err := Output(u.dir, "dpkg-deb", "-x", files[0], u.Root()); err != nil {
		return fmt.Errorf("unpack %s: %w", pkg, err)
	}
	depends, err := Output(u.dir, "dpkg-deb", "-f", files[0], "Depends")
	if err != nil {
		return fmt.Errorf("dependencies of %s: %w", pkg, err)
	}
	for _, library := range libraries(depends) {
		if exec.Command("dpkg-query", "-W", library).Run() != nil {
			if err := u.Fetch(library); err != nil {
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

// Environment lets programs be found in the folder, before those of the
// machine.
func (u *Unpacked) Environment() []string {
	root := u.Root()
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

// Find returns the path of a program of the folder or of the machine, or "".
func (u *Unpacked) Find(program string) string {
	i := slices.IndexFunc(u.Environment(), func(v string) bool { return strings.HasPrefix(v, "PATH=") })
	for _, dir := range filepath.SplitList(strings.TrimPrefix(u.Environment()[i], "PATH=")) {
		if path, err := exec.LookPath(filepath.Join(dir, program)); err == nil {
			return path
		}
	}
	return ""
}

// Output runs a program in a folder and returns what it has written. The error has that too.
func Output(dir, name string, args ...string) (string, error) {
	c := exec.Command(name, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return string(out), nil
}
