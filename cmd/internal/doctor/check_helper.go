package doctor

import (
	"slices"

	"ftpalg/cmd/internal/config"
)

// fights says what comes of the kernel's own helper at work on a control
// connection that the gateway has.
const fights = "The kernel's FTP helper then reads the gateway's own dialogue, and promises the same data connections a second time: " +
	"transfers fail, or ports open that the gateway knows nothing of."

// automaticHelper looks for helpers that attach by port number alone, which
// kernels before 6.0 could do (net/netfilter/nf_conntrack_helper.c).
func automaticHelper(f *Facts, _ *config.Config) []Finding {
	const id, key = "kernel-helper-sysctl", "net.netfilter.nf_conntrack_helper"
	if f.Sysctls[below(key)] == "1" {
		return []Finding{problem(id, "%s is 1", key).because(fights).by("sysctl -w %s=0", key)}
	}
	return []Finding{good(id, "no kernel helper attaches by itself")}
}

// helperRules looks for rules that attach the kernel's helper to our ports.
func helperRules(f *Facts, c *config.Config) (out []Finding) {
	const id = "kernel-helper"
	for _, w := range wanted(c) {
		out = append(out, f.eachRaw(w, func(r *Ruleset, chain string, rule Rule, port uint16) []Finding {
			if rule.target() != "CT" || rule.after("--helper") != "ftp" {
				return nil
			}
			return []Finding{problem(id, "a rule of %s gives port %d to the kernel's FTP helper", r.Tool, port).
				because(fights).by("%s", r.removal("raw", chain, rule))}
		})...)
		out = append(out, f.eachNative(w, func(chain *NativeChain, rule *NativeRule, port uint16) []Finding {
			if !rule.attaches(f.Native.FTPHelpers) {
				return nil
			}
			return []Finding{problem(id, "a rule in nft chain %s gives port %d to the kernel's FTP helper", chain, port).
				because(fights).by("%s", chain.removal(rule))}
		})...)
	}
	if len(out) == 0 && f.listed(c) {
		out = append(out, good(id, "no rule gives our ports to the kernel's FTP helper"))
	}
	return out
}

// untracked looks for rules that keep our ports from connection tracking.
func untracked(f *Facts, c *config.Config) (out []Finding) {
	const id = "notrack"
	const why = "What is not tracked cannot be translated, intercepted or promised."
	for _, w := range wanted(c) {
		out = append(out, f.eachRaw(w, func(r *Ruleset, chain string, rule Rule, port uint16) []Finding {
			if rule.target() != "NOTRACK" && !(rule.target() == "CT" && slices.Contains(rule, "--notrack")) {
				return nil
			}
			return []Finding{problem(id, "a rule of %s keeps port %d from connection tracking", r.Tool, port).
				because(why).by("%s", r.removal("raw", chain, rule))}
		})...)
		out = append(out, f.eachNative(w, func(chain *NativeChain, rule *NativeRule, port uint16) []Finding {
			if !rule.ends("notrack") {
				return nil
			}
			return []Finding{problem(id, "a rule in nft chain %s keeps port %d from connection tracking", chain, port).
				because(why).by("%s", chain.removal(rule))}
		})...)
	}
	if len(out) == 0 && f.listed(c) {
		out = append(out, good(id, "our ports are tracked"))
	}
	return out
}

// eachRaw asks about each rule in the raw table's built-in chains and the
// control ports that it may match, each rule once.
func (f *Facts) eachRaw(w wants, ask func(r *Ruleset, chain string, rule Rule, port uint16) []Finding) (out []Finding) {
	for _, r := range f.Filters {
		for _, c := range r.Chains {
			if r.Six != w.six || c.Table != "raw" {
				continue
			}
			for _, rule := range c.Rules {
				for _, port := range w.services {
					p := packet{port: config.PortRange{First: port, Last: port}}
					if rule.matches(p) > never {
						if found := ask(r, c.Name, rule, port); found != nil {
							out = append(out, found...)
							break
						}
					}
				}
			}
		}
	}
	return out
}

// eachNative is eachRaw for the rules of nftables proper.
func (f *Facts) eachNative(w wants, ask func(chain *NativeChain, rule *NativeRule, port uint16) []Finding) (out []Finding) {
	if f.Native == nil {
		return nil
	}
	for _, c := range f.Native.Chains {
		if !c.sees(w.six) {
			continue
		}
		for _, rule := range c.Rules {
			for _, port := range w.services {
				if rule.concerns(port) > never {
					if found := ask(c, rule, port); found != nil {
						out = append(out, found...)
						break
					}
				}
			}
		}
	}
	return out
}

// attaches reports whether the rule attaches one of the helpers.
func (r *NativeRule) attaches(helpers []string) bool {
	return slices.ContainsFunc(r.Expr, func(s statement) bool {
		return slices.ContainsFunc(stringsIn(s["ct helper"]), func(name string) bool { return slices.Contains(helpers, name) })
	})
}
