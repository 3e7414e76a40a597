package iptables

import (
	"ftpalg/alg/expect"
	"ftpalg/rules/ctnetlink"
	"ftpalg/rules/rule"
)

// tracked is what connection tracking knows of one family.
type tracked struct{ family rule.Family }

// Came implements kernel. The kernel forgets a connection that was reset
// after 10 s, others later (Documentation/networking/nf_conntrack-sysctl.rst).
func (t tracked) Came() (map[expect.Key]bool, error) {
	flows, err := ctnetlink.Dump(0)
	if err != nil {
		return nil, err
	}
	came := map[expect.Key]bool{}
	for _, f := range flows {
		if t.family.Has(f.Orig.Src.Addr()) {
			came[expect.Key{From: f.Orig.Src.Addr(), Reached: f.Orig.Dst}] = true
		}
	}
	return came, nil
}
