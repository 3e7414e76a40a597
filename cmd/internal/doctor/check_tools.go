package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ftpalg/cmd/internal/config"
)

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// tools looks whether iptables is there and can read its own tables.
func tools(f *Facts, c *config.Config) (out []Finding) {
	const id = "iptables"
	for _, w := range wanted(c) {
		tool := map[bool]string{false: "iptables", true: "ip6tables"}[w.six]
		r := f.inForce(w.six)
		if !slices.Contains(f.Installed, tool) && w.doesWithout(c) {
			out = append(out, warn(id, "%s is not installed, and data.path is relay: netfilter is left alone", tool).
				because("The gateway serves. A firewall must let in the control ports, data.passive_ports and data.active_ports by itself.").
				by("%s iptables", f.Packages))
			continue
		}
		if !slices.Contains(f.Installed, tool) {
			out = append(out, problem(id, "%s is not installed", tool).
				because("Every pinhole needs rules, if only the one that accepts what the kernel expected.").
				by("%s iptables", f.Packages))
		}
		if r == nil {
			continue
		}
		for _, table := range r.Incompatible {
			out = append(out, problem(id, "table %s of %s holds rules that only nft can read", table, r.Tool).
				because("iptables refuses to work on such a table. Its rules must move to a table of another name.").
				by("nft -a list table %s %s", map[bool]string{false: "ip", true: "ip6"}[w.six], table))
		}
		if len(r.Incompatible) == 0 {
			out = append(out, good(id, "%s works, generation %s", r.Tool, r.Generation))
		}
	}
	return out
}

// generations looks for rules in the generation that is not in force.
func generations(f *Facts, c *config.Config) (out []Finding) {
	const id = "iptables-generations"
	for _, other := range f.Filters {
		if other.InForce || other.rules() == 0 {
			continue
		}
		found := warn(id, "%d rules stand in %s, which is not the generation in force", other.rules(), other.Tool)
		if ours := other.chainsOfOurs(); ours != "" {
			out = append(out, found.as(Problem).because("Chains of an earlier ftpalg are among them ("+ours+"), and act on every packet.").
				by("ftpalg cleanup"))
			continue
		}
		out = append(out, found.because("Both generations act on every packet, and neither lists the other's rules: a DROP there drops "+
			"what the gateway accepts here. The command moves them.").by("%s", other.move()))
	}
	if len(out) == 0 && f.listed(c) {
		out = append(out, good(id, "only one generation of iptables has rules"))
	}
	return out
}

func (r *Ruleset) chainsOfOurs() string {
	var names []string
	for _, c := range r.Chains {
		if c.ours() {
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, ", ")
}

// move returns the command that takes the rules over to the plain tool.
func (r *Ruleset) move() string {
	plain, _, _ := strings.Cut(r.Tool, "-")
	steps := []string{fmt.Sprintf("%s-save | %s-restore --noflush", r.Tool, plain)}
	seen := map[string]bool{}
	for _, c := range r.Chains {
		if !seen[c.Table] {
			seen[c.Table] = true
			steps = append(steps, fmt.Sprintf("%s -t %s -F", r.Tool, c.Table), fmt.Sprintf("%s -t %s -X", r.Tool, c.Table))
		}
		if c.Policy == "DROP" {
			steps = append(steps, fmt.Sprintf("%s -t %s -P %s ACCEPT", r.Tool, c.Table, c.Name))
		}
	}
	return strings.Join(steps, " && ")
}
