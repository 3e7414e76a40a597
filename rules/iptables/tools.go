package iptables

import "ftpalg/rules/rule"

// tool returns the name of a family's program: iptables(8), ip6tables(8).
func tool(f rule.Family) string {
	if f == rule.IPv6 {
		return "ip6tables"
	}
	return "iptables"
}
