package rules

import "ftpalg/alg/expect"

// tracked is what connection tracking knows of one family.
type tracked struct{ family Family }

// Came implements kernel. The kernel forgets a connection that was reset
// after 10 s, others later (Documentation/networking/nf_conntrack-sysctl.rst).
func (t tracked) Came() (map[expect.Key]bool, error) {
	flows, err := dumpConntrack(0)
	if err != nil {
		return nil, err
	}
	came := map[expect.Key]bool{}
	for _, f := range flows {
		if t.family.Has(f.orig.src.Addr()) {
			came[expect.Key{From: f.orig.src.Addr(), To: f.orig.dst}] = true
		}
	}
	return came, nil
}
