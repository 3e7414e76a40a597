package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"ftpalg/cmd/internal/config"
)

// Machine is what is asked of the machine, so that a test can be one.
type Machine struct {
	// Files is the root of its file system; symbolic links must be readable.
	Files fs.FS
	// Run runs a program and returns what it printed.
	Run func(ctx context.Context, name string, args ...string) ([]byte, error)
	// Links, Route and PolicyRules ask the kernel by rtnetlink(7).
	Links       func() ([]Link, error)
	Route       func(netip.Addr) (Route, error)
	PolicyRules func() ([]PolicyRule, error)
}

// Here is the machine, and the network namespace, of the calling thread.
func Here() Machine {
	return Machine{Files: os.DirFS("/"), Run: run, Links: links, Route: route, PolicyRules: policyRules}
}

// programTimeout bounds each program: the lock of iptables-legacy may be
// held by others.
const programTimeout = 10 * time.Second

func run(ctx context.Context, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, programTimeout)
	defer cancel()
	var errs strings.Builder
	c := exec.CommandContext(ctx, name, args...)
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return out, fmt.Errorf("%s: %w: %s", c, err, strings.TrimSpace(errs.String()))
	}
	return out, nil
}

// Look gathers what is needed to examine a machine for c. What it cannot see
// it notes in Unseen and goes on.
func Look(ctx context.Context, m Machine, c *config.Config) *Facts {
	l := looker{Machine: m, ctx: ctx, facts: &Facts{Routes: make(map[netip.Addr]Route)}}
	l.facts.Packages = packages(m.Files)
	l.rights()
	l.network(c)
	l.sysctls()
	l.modules()
	l.filters()
	l.native()
	l.sockets()
	l.expectations()
	l.certificates(c)
	return l.facts
}

// looker is one look under way.
type looker struct {
	Machine
	ctx   context.Context
	facts *Facts
}

// unseen notes what could not be looked at. Whoever is not root can become it.
func (l *looker) unseen(what string, err error) {
	mend := ""
	switch {
	case errors.Is(err, exec.ErrNotFound):
		mend = l.facts.Packages + " nftables" // of iptables its own check speaks
	case l.facts.Process.Capabilities&(1<<unix.CAP_NET_ADMIN) == 0:
		mend = "sudo ftpalg doctor"
	}
	l.facts.Unseen = append(l.facts.Unseen, Gap{what, err, mend})
}

// text returns a file's text without its last line's end, "" if there is none.
func (l *looker) text(name string) string {
	b, err := fs.ReadFile(l.Files, name)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// packages returns the command with which this distribution installs a
// package (os-release(5)).
func packages(files fs.FS) string {
	b, _ := fs.ReadFile(files, "etc/os-release") // without it, a guess
	known := []struct{ like, command string }{
		{"debian", "apt-get install"}, {"fedora", "dnf install"}, {"rhel", "dnf install"},
		{"suse", "zypper install"}, {"alpine", "apk add"}, {"arch", "pacman -S"},
	}
	for _, k := range known {
		for line := range strings.Lines(string(b)) {
			if strings.HasPrefix(line, "ID") && strings.Contains(line, k.like) {
				return k.command
			}
		}
	}
	return "apt-get install"
}
