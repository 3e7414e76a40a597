package doctor

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
)

// filters lists the rules of both families in each generation. The plain
// name goes first: whatever it stands for is in force.
func (l *looker) filters() {
	for _, six := range []bool{false, true} {
		base := map[bool]string{false: "iptables", true: "ip6tables"}[six]
		seen := map[string]bool{}
		for _, tool := range []string{base, base + "-nft", base + "-legacy"} {
			version, err := l.Run(l.ctx, tool, "--version")
			if err != nil {
				continue // not installed; what is missed is noted by the check of tools
			}
			generation := "legacy" // all that there was before the two (1.8)
			if strings.Contains(string(version), "nf_tables") {
				generation = "nf_tables"
			}
			if !seen[generation] {
				seen[generation] = true
				l.ruleset(&Ruleset{Tool: tool, Six: six, Generation: generation, InForce: tool == base})
			}
		}
	}
}

// ruleset lists the rules of one tool.
func (l *looker) ruleset(r *Ruleset) {
	if r.InForce {
		l.facts.Installed = append(l.facts.Installed, r.Tool)
	}
	out, err := l.Run(l.ctx, r.Tool+"-save")
	if err == nil {
		r.Chains, r.Incompatible, err = parseSave(bytes.NewReader(out))
	}
	if err != nil {
		l.unseen("the rules of "+r.Tool, err)
		return
	}
	l.facts.Filters = append(l.facts.Filters, r)
}

// native lists what stands in nftables beside the tables of iptables-nft.
func (l *looker) native() {
	out, err := l.Run(l.ctx, "nft", "-j", "list", "ruleset")
	if errors.Is(err, exec.ErrNotFound) {
		l.unseen("the tables of nftables, without its program nft", err)
		return
	}
	if err == nil {
		l.facts.Native, err = parseNative(out)
	}
	if err != nil {
		l.unseen("the tables of nftables", err)
	}
}
