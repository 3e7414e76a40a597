package rules

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// tools are the programs of one family and generation.
type tools struct {
	family                  Family
	iptables, save, restore string
	// version is what `iptables --version` prints, such as
	// "iptables v1.8.9 (nf_tables)".
	version string
}

// variants are the names under which distributions install the generations.
// The plain one is in force; the others may hold what an ftpalg left there
// before the administrator switched over.
func variants() []string { return []string{"", "-nft", "-legacy"} }

// findTools looks in PATH for the programs of a variant. It fails with
// ErrUnavailable if one is missing.
func findTools(f Family, variant string) (tools, error) {
	t := tools{family: f}
	base := f.tool() + variant
	for name, path := range map[string]*string{base: &t.iptables, base + "-save": &t.save, base + "-restore": &t.restore} {
		found, err := exec.LookPath(name)
		if err != nil {
			return tools{}, &OpError{Op: "find " + name, Err: fmt.Errorf("%w: %w (is the package iptables installed?)", ErrUnavailable, err)}
		}
		*path = found
	}
	version, err := run(context.Background(), "", t.iptables, "--version")
	if err != nil {
		return tools{}, &OpError{Op: "run " + t.iptables + " --version", Err: err}
	}
	t.version = strings.TrimSpace(string(version))
	return t, nil
}

// machine is the kernel interface over the real tools.
type machine struct {
	filter
	batch
	route
	tracked
}

func (t tools) machine(o Options) (machine, error) {
	f, err := newFilter(t.family, t.iptables)
	r := route{t.family, o.Mark, o.RouteTable, o.RulePriority}
	return machine{f, batch{t.save, t.restore}, r, tracked{t.family}}, err
}

// allTools returns the tools of both families and all generations that
// this machine has, each generation once.
func allTools() ([]tools, error) {
	var all []tools
	for _, f := range []Family{IPv4, IPv6} {
		seen := map[string]bool{}
		for _, v := range variants() {
			t, err := findTools(f, v)
			if errors.Is(err, ErrUnavailable) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if !seen[t.version] {
				seen[t.version] = true
				all = append(all, t)
			}
		}
	}
	return all, nil
}
