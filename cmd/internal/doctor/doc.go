// Package doctor finds out what a machine lacks, or has set wrongly, for a
// gateway with a given configuration. It changes nothing: what is to be done
// it says, as commands.
//
// Look gathers Facts, plain values, from /proc, netlink and the tools' own
// listings; it is the only part that asks the machine. Examine compares them
// with a configuration, by one small function for each thing that can be
// wrong, and returns Findings. Everything holds for the network namespace in
// which Look runs.
//
//   - facts.go: what is known of a machine; look.go and its neighbours: how
//   - iptables.go, native.go: the packet filters, as their tools list them
//   - match.go, walk.go: what a rule, and a chain, of iptables would do with a
//     packet; native_rule.go: as much of nftables
//   - examine.go: the list of checks; check_*.go: each area's own
package doctor
