// Package iptables keeps rules in iptables and ip6tables, and is the data path
// in which each pinhole has rules of its own. Here alone a rule becomes words.
//
// Filter is what others see. Each family has a worker, which makes all calls of
// its tools: worker.go opens pinholes, reconcile.go compares the kernel with
// what should be there and repairs the difference, sweep.go deletes what has
// ended, ledger.go remembers. words.go turns a rule into a line.
package iptables
