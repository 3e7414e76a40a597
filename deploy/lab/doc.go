// Package lab is a network of test hosts on one machine: every host is a
// named network namespace, every cable a pair of veth interfaces. The demo,
// the end-to-end tests and the benchmarks build the same topologies from it.
//
// A Network owns what it builds. Close ends every process on its hosts and
// removes them. The processes end with ours even if that is killed; whatever
// else it left behind, the next New with the same prefix removes. The machine's own namespace is never changed.
//
// Hosts have names in /run/netns, so that while a network lives an operator
// may look around with `ip netns exec`. All of it needs CAP_SYS_ADMIN and
// CAP_NET_ADMIN, in practice root.
package lab
