package packages

import (
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// The image, without a Docker engine: what the Dockerfile puts together serves with
// the capabilities that compose.yaml grants, on a root file system that it
// cannot write.
func TestImageServesWithTheCapabilitiesOfComposeYAML(t *testing.T) {
	var compose struct {
		Services map[string]struct {
			CapDrop  []string `yaml:"cap_drop"`
			CapAdd   []string `yaml:"cap_add"`
			ReadOnly bool     `yaml:"read_only"`
			Tmpfs    []string
			Network  string `yaml:"network_mode"`
		}
	}
	text, err := os.ReadFile(filepath.Join(root, "deploy/container/compose.yaml"))
	if err == nil {
		err = yaml.Unmarshal(text, &compose)
	}
	if err != nil {
		t.Fatal(err)
	}
	s := compose.Services["ftpalg"]
	if len(s.CapDrop) != 1 || s.CapDrop[0] != "ALL" || len(s.CapAdd) == 0 || !s.ReadOnly || s.Network != "host" || len(s.Tmpfs) != 1 {
		t.Fatalf("compose.yaml says %+v", s)
	}
	dockerfile, err := os.ReadFile(filepath.Join(root, "deploy/container/Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	d := newTree(t)
	// What RUN does after the installation, in the image's own words.
	useradd := regexp.MustCompile(`useradd [^\\\n]*`).FindString(string(dockerfile))
	if useradd == "" || !strings.Contains(string(dockerfile), "FROM debian:bookworm-slim") {
		t.Fatalf("the Dockerfile is another:\n%s", dockerfile)
	}
	d.run("sh", "-c", useradd)
	for _, program := range []string{"ftpalg", "ftpalg-inspect", "ftpalg-acme"} {
		c := []string{"build", "-trimpath", "-o", d.path("/usr/bin/" + program), "ftpalg/cmd/" + program}
		t.Setenv("CGO_ENABLED", "0")
		command(t, "go", c...)
	}
	const config = "listeners:\n  - {name: mine, listen: \"203.0.113.1:21\", server: \"198.18.1.20:21\"}\n"
	for _, err := range []error{os.MkdirAll(d.path("/etc/ftpalg"), 0o755), os.WriteFile(d.path("/etc/ftpalg/10-base.yaml"), []byte(config), 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	caps := "-all"
	for _, c := range s.CapAdd {
		caps += ",+" + strings.ToLower(c)
	}
	line := []string{"sh", "-euc", `
mount --bind / /mnt && mount -o remount,bind,ro /mnt
for m in proc sys dev; do mount --rbind "/$m" "/mnt/$m"; done
mount --bind ` + s.Tmpfs[0] + ` /mnt` + s.Tmpfs[0] + `
exec chroot /mnt setpriv --no-new-privs --inh-caps ` + caps + ` --bounding-set ` + caps + ` ftpalg run --watch --config /etc/ftpalg`}
	d.carries(t, line, func(socket string) {
		for _, process := range d.openers(t) {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process))
			// SYS_ADMIN, which nobody has asked for, is bit 21 (linux/capability.h).
			var bound uint64
			for line := range strings.Lines(string(status)) {
				fmt.Sscanf(line, "CapBnd:\t%x", &bound)
			}
			if err != nil || !strings.Contains(string(status), "NoNewPrivs:\t1") || bits.OnesCount64(bound) != len(s.CapAdd) || bound>>21&1 != 0 {
				t.Errorf("it runs with %s, %v", status, err)
			}
		}
		command(t, d.path("/usr/bin/ftpalg"), "health", "--socket", socket)
	})
}
