package doctor

import "slices"

// hit is what a chain does with a packet.
type hit struct {
	table, chain string
	rule         Rule // nil for the chain's policy
	target       string
	certainty
}

// refuses reports whether the packet goes no further.
func (h hit) refuses() bool { return h.target == "DROP" || h.target == "REJECT" }

// translates reports whether the packet's destination is changed.
func (h hit) translates() bool {
	return slices.Contains([]string{"DNAT", "REDIRECT", "NETMAP", "TPROXY"}, h.target)
}

// walk follows a packet through a built-in chain to the first rule that
// decides on it, else to the chain's policy. Rules of our own are passed over;
// with untilOurs the walk ends at the jump to them, with no target, and where
// that jump does not stand yet, at once: it will be put first.
func (r *Ruleset) walk(table, chain string, p packet, untilOurs bool) hit {
	c := r.chain(table, chain)
	if c == nil || untilOurs && !slices.ContainsFunc(c.Rules, Rule.ours) {
		return hit{}
	}
	w := walker{r, p, untilOurs, surely}
	if h, decided := w.through(c, surely, 0); decided {
		return h
	}
	return hit{table, chain, nil, c.Policy, w.sure}
}

// walker is a walk under way. It is no longer sure once it has passed a rule
// that may have accepted.
type walker struct {
	rules     *Ruleset
	packet    packet
	untilOurs bool
	sure      certainty
}

// deepest bounds jumps, which the kernel keeps from going in circles.
const deepest = 32

// through follows the packet through a chain that it comes to with some
// certainty.
func (w *walker) through(c *Chain, comes certainty, depth int) (hit, bool) {
	for _, rule := range c.Rules {
		if rule.ours() {
			if w.untilOurs {
				return hit{}, true
			}
			continue
		}
		matches, target := min(comes, rule.matches(w.packet)), rule.target()
		if next := w.rules.chain(c.Table, target); next != nil && matches > never && depth < deepest {
			if h, decided := w.through(next, matches, depth+1); decided {
				return h, true
			}
			continue
		}
		switch {
		case matches == never || !slices.Contains(deciding, target):
		case target == "RETURN" && matches == comes:
			return hit{}, false
		case matches == perhaps && (target == "ACCEPT" || target == "RETURN"):
			w.sure = perhaps
		default:
			return hit{c.Table, c.Name, rule, target, min(w.sure, matches)}, true
		}
	}
	return hit{}, false
}

// deciding are the targets after which no later rule of the table is asked
// (iptables-extensions(8)).
var deciding = []string{"ACCEPT", "DROP", "REJECT", "RETURN", "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP", "TPROXY", "QUEUE", "NFQUEUE"}
