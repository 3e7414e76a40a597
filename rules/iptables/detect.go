package iptables

import (
	"context"
	"errors"
	"fmt"
	"ftpalg/rules/policyroute"
	"ftpalg/rules/report"
	"ftpalg/rules/rule"
	"os/exec"
	"path/filepath"
	"strings"
)

// tools are the programs of one family and generation.
type tools struct {
	family                  rule.Family
	iptables, save, restore string
}

// variants are the names under which distributions install the generations.
// The plain one is in force; the others may hold what an ftpalg left there
// before the administrator switched over.
func variants() []string { return []string{"", "-nft", "-legacy"} }

// findTools looks in PATH for the programs of a variant. It fails with
// ErrUnavailable if one is missing.
func findTools(f rule.Family, variant string) (tools, error) {
	t := tools{family: f}
	base := tool(f) + variant
	for name, path := range map[string]*string{base: &t.iptables, base + "-save": &t.save, base + "-restore": &t.restore} {
		found, err := exec.LookPath(name)
		if err != nil {
			return tools{}, &report.OpError{Op: "find " + name, Err: fmt.Errorf("%w: %w (is the package iptables installed?)", report.ErrUnavailable, err)}
		}
		*path = found
	}
	return t, nil
}

// version returns what `iptables --version` prints, such as
// "iptables v1.8.9 (nf_tables)".
func (t tools) version() (string, error) {
	out, err := run(context.Background(), "", t.iptables, "--version")
	if err != nil {
		return "", &report.OpError{Op: "run " + t.iptables + " --version", Err: err}
	}
	return strings.TrimSpace(string(out)), nil
}

// systemKernel is the kernel interface over the real tools.
type systemKernel struct {
	singleCalls
	saveRestore
	policyroute.Route
	tracked
}

func (t tools) kernel(o Options) (systemKernel, error) {
	f, err := newSingleCalls(t.family, t.iptables)
	return systemKernel{f, t.saveRestore(), o.route(t.family), tracked{t.family}}, err
}

func (t tools) saveRestore() saveRestore { return saveRestore{t.save, t.restore} }

func (o Options) route(f rule.Family) policyroute.Route {
	return policyroute.Route{Family: f, Mark: o.Mark, Table: o.RouteTable, Priority: o.RulePriority}
}

// allTools returns the tools of both families and all generations that
// this machine has. A generation whose names lead to the same program is
// there once.
func allTools() ([]tools, error) {
	var all []tools
	for _, f := range []rule.Family{rule.IPv4, rule.IPv6} {
		seen := map[string]bool{}
		for _, v := range variants() {
			t, err := findTools(f, v)
			if errors.Is(err, report.ErrUnavailable) {
				continue
			}
			if err != nil {
				return nil, err
			}
			program, err := filepath.EvalSymlinks(t.save)
			if err != nil {
				return nil, &report.OpError{Op: "find " + t.save, Err: err}
			}
			if !seen[program] {
				seen[program] = true
				all = append(all, t)
			}
		}
	}
	return all, nil
}
