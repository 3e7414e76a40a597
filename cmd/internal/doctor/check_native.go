package doctor

import (
	"fmt"
	"math/bits"
	"slices"

	"ftpalg/cmd/internal/config"
)

// nativePolicies looks for chains of nftables proper that drop what no rule
// of theirs accepts. An ACCEPT in iptables does not help there: a packet
// passes the base chains of all tables, and each may drop it (nft(8)).
func nativePolicies(f *Facts, c *config.Config) (out []Finding) {
	if f.Native == nil {
		return nil
	}
	for _, w := range wanted(c) {
		for _, chain := range f.Native.Chains {
			if !chain.sees(w.six) || chain.Type != "filter" || !chain.refuses() {
				continue
			}
			switch {
			case chain.Hook == "forward" && f.forwards(w):
				out = append(out, f.acceptsData(chain, w, c)...)
			case chain.Hook == "input":
				out = append(out, f.acceptsControl(chain, w)...)
			}
		}
	}
	if len(out) == 0 {
		out = append(out, good("nft-policy", "no nft chain drops what the gateway accepts"))
	}
	return once(out)
}

const nftWhy = "nftables asks every chain at this hook, and an ACCEPT in iptables is not the last word: what this one drops stays dropped."

// acceptsData looks whether a forward chain accepts data connections: those
// with translated addresses by that, others by the gateway's marks.
func (f *Facts) acceptsData(chain *NativeChain, w wants, c *config.Config) (out []Finding) {
	if !f.Native.any(chain, (*NativeRule).matchesDNAT) {
		out = append(out, problem("nft-forward", "nft chain %s drops data connections", chain).because(nftWhy).
			by("nft insert rule %s ct status dnat accept", chain))
	}
	untranslated := slices.ContainsFunc(w.intercepts, func(l *config.Listener) bool { return l.Source.Kind == config.SourceClient })
	ours := bits.RotateLeft32(c.Netfilter.Mark, 1) | bits.RotateLeft32(c.Netfilter.Mark, 2)
	marked := func(r *NativeRule) bool {
		m := r.matches()
		return len(m) == 1 && m[0].Left.masks(side{CT: keyed{"mark"}}, ours)
	}
	if untranslated && !f.Native.any(chain, marked) {
		out = append(out, problem("nft-forward-marked", "nft chain %s drops data connections between addresses that stay as they are", chain).
			because(nftWhy).by("nft insert rule %s 'ct mark & %#x != 0 accept'", chain, ours))
	}
	return out
}

// acceptsControl looks whether an input chain accepts control connections.
func (f *Facts) acceptsControl(chain *NativeChain, w wants) (out []Finding) {
	for _, port := range w.services {
		if !f.Native.any(chain, func(r *NativeRule) bool {
			return len(r.matches()) > 0 && r.concerns(port) > never && r.mentions("dport")
		}) {
			out = append(out, problem("nft-input", "nft chain %s drops control connections to port %d", chain, port).because(nftWhy).
				by("%s", chain.inputMend(port)))
		}
	}
	return out
}

// any reports whether an accepting rule of the chain's table is like that.
// Whether the chain jumps to it is not followed.
func (n *Native) any(of *NativeChain, like func(*NativeRule) bool) bool {
	for _, c := range n.Chains {
		if c.Family != of.Family || c.Table != of.Table || c.Hook != "" && c != of {
			continue
		}
		if slices.ContainsFunc(c.Rules, func(r *NativeRule) bool { return r.ends("accept") && like(r) }) {
			return true
		}
	}
	return false
}

// mentions reports whether a field of the packet limits the rule.
func (r *NativeRule) mentions(field string) bool {
	return slices.ContainsFunc(r.matches(), func(m match) bool { return m.Left.Payload.Field == field })
}

// firewalld keeps all its rules in a table of that name, which only it may
// change.
const firewalld = "firewalld"

// inputMend returns the command that lets a port through an input chain.
func (c *NativeChain) inputMend(port uint16) string {
	if c.Table == firewalld {
		return fmt.Sprintf("firewall-cmd --permanent --add-port=%d/tcp && firewall-cmd --reload", port)
	}
	return fmt.Sprintf("nft insert rule %s tcp dport %d accept", c, port)
}

// reversePathRules looks for rules that judge the source of packets by the
// route that their mark leads to, as firewalld makes one for IPv6: ours leads
// to a table in which there is no way back (net/ipv4/netfilter/nft_fib_ipv4.c).
func reversePathRules(f *Facts, c *config.Config) (out []Finding) {
	if f.Native == nil {
		return nil
	}
	mark := c.Netfilter.Mark
	spared := func(r *NativeRule) bool {
		m := r.matches()
		return len(m) == 1 && m[0].Left.masks(side{Meta: keyed{"mark"}}, mark)
	}
	for _, w := range wanted(c) {
		for _, chain := range f.Native.Chains {
			judges := slices.ContainsFunc(chain.Rules, func(r *NativeRule) bool { return r.judgesMark(w.six) })
			if w.foreign && chain.Hook == "prerouting" && chain.Priority > manglePriority && chain.sees(w.six) && judges && !f.Native.any(chain, spared) {
				out = append(out, problem("nft-reverse-path", "nft chain %s drops the packets of transparent sockets", chain).
					because("It judges their source by the gateway's policy route, where no way leads back. In firewalld.conf, IPv6_rpfilter=no ends that for good.").
					by("nft insert rule %s 'meta mark & %#x != 0 accept'", chain, mark))
			}
		}
	}
	return once(out)
}

// manglePriority is that of the chain in which packets get our mark
// (NF_IP_PRI_MANGLE in linux/netfilter_ipv4.h).
const manglePriority = -150

// judgesMark reports whether the rule drops by `fib saddr . mark`.
func (r *NativeRule) judgesMark(six bool) bool {
	fib := false
	for _, m := range r.matches() {
		if m.Left.Meta.Key == "nfproto" && slices.Contains(stringsIn(m.Right), "ipv6") != six {
			return false
		}
		fib = fib || slices.Contains(m.Left.Fib.Flags, "saddr") && slices.Contains(m.Left.Fib.Flags, "mark")
	}
	return fib && r.ends("drop", "reject")
}
