package iptables

import "strings"

// prefix begins the name of every chain that is ours.
const prefix = "FTPALG-"

// The tables in which we have chains.
const (
	tableFilter = "filter"
	tableNAT    = "nat"
	tableMangle = "mangle"
)

// The chains that are ours, each named after the one that jumps to it.
const (
	chainInput       = prefix + "INPUT"
	chainForward     = prefix + "FORWARD"
	chainOutput      = prefix + "OUTPUT"
	chainPrerouting  = prefix + "PREROUTING"
	chainPostrouting = prefix + "POSTROUTING"
)

// chain is one chain of a table.
type chain struct{ table, name string }

// String returns the chain as `iptables -S` prints it, with its table.
func (c chain) String() string { return "-t " + c.table + " -N " + c.name }

// owned reports whether a chain of this name is ours.
func owned(name string) bool { return strings.HasPrefix(name, prefix) }

// jump returns the rule that leads from a built-in chain into ours. Its
// matches keep packets of established connections out of our chain, which
// could only slow them down. RELATED comes in as well: a connection that the
// kernel itself expected is not NEW. In the nat table, which sees no others
// anyway, they keep connection tracking on: the kernel stops it in a network
// namespace when the last rule goes that needs it (nf_ct_netns_put in
// net/netfilter/nf_conntrack_proto.c), and with it the translation of running
// transfers, when somebody flushes the filter table.
func (c chain) jump() line {
	words := []string{"-p", "tcp"}
	switch {
	case c.table == tableFilter && c.name == chainOutput:
		words = append(words, "-m", "conntrack", "--ctstate", "NEW")
	case c.table == tableFilter, c.table == tableNAT:
		words = append(words, "-m", "conntrack", "--ctstate", "NEW,RELATED")
	}
	words = append(words, "-m", "comment", "--comment", tag+"jump", "-j", c.name)
	return line{c.table, strings.TrimPrefix(c.name, prefix), words}
}

// chainsFor returns the chains that must exist beside the given static
// rules. Every packet that enters the machine passes mangle PREROUTING, so
// there is a chain in it only where a rule needs one.
func chainsFor(static []line) []chain {
	chains := []chain{
		{tableFilter, chainInput},
		{tableFilter, chainForward},
		{tableFilter, chainOutput},
		{tableNAT, chainPrerouting},
		{tableNAT, chainInput},
		{tableNAT, chainPostrouting},
	}
	for _, r := range static {
		if r.table == tableMangle {
			return append(chains, chain{tableMangle, chainPrerouting})
		}
	}
	return chains
}
