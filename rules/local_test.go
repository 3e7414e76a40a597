package rules

import (
	"net"
	"net/netip"
	"testing"

	"ftpalg/alg/expect"
	"ftpalg/rules/policyroute"
)

func localPassages() []passage {
	return []passage{
		{"DNAT", promised(1, expect.PASV, "203.0.113.10", "203.0.113.1:50001", "198.18.1.1:30001", "203.0.113.10"),
			"203.0.113.10:0", "203.0.113.11:0", "203.0.113.10:0"},
		{"DNAT and SNAT", promised(2, expect.PASV, "203.0.113.10", "203.0.113.1:50002", "198.18.1.1:30002", "198.18.1.1"),
			"203.0.113.10:0", "203.0.113.11:0", "198.18.1.1:0"},
		{"as it is", promised(3, expect.PASV, "203.0.113.10", "203.0.113.1:30003", "203.0.113.1:30003", "203.0.113.10"),
			"203.0.113.10:0", "203.0.113.11:0", "203.0.113.10:0"},
		{"IPv6, DNAT and SNAT", promised(4, expect.EPSV, "2001:db8:1::10", "[2001:db8:1::1]:50004", "[2001:db8:2::1]:30004", "2001:db8:2::1"),
			"[2001:db8:1::10]:0", "[2001:db8:1::11]:0", "[2001:db8:2::1]:0"},
	}
}

func TestAPinholeLeadsToAServerOnThisMachine(t *testing.T) {
	for _, path := range []Path{IPTables, Conntrack} {
		t.Run(path.String(), func(t *testing.T) { leadsHere(t, Options{Path: path}) })
	}
}

func leadsHere(t *testing.T, o Options) {
	generations(t, func(t *testing.T) {
		e := newEdge(t)
		here := must(netnsHere())
		defer here.Close()
		m := startManager(t, o, Static{})
		all := localPassages()
		accepted := map[expect.ID]<-chan net.Conn{}
		for _, p := range all {
			accepted[p.ID] = listen(t, here, p.Target.String(), nil)
		}
		noneComes(t, e, all, "before the pinhole was open", func(p passage) string { return p.from })
		for _, p := range all {
			mustOpen(t, m, p.Expectation)
		}
		noneComes(t, e, all, "from a stranger", func(p passage) string { return p.stranger })
		for _, p := range all {
			p.pass(t, e, accepted[p.ID])
		}
		noneComes(t, e, all, "a second time", passage.anyPort)
	})
}

func TestAnAddressIsLocalIfPacketsToItEndHere(t *testing.T) {
	needKernel(t)
	newEdge(t)
	sh(t, "ip route add local 192.0.2.0/28 dev lo")
	t.Cleanup(func() { sh(t, "ip route del local 192.0.2.0/28 dev lo") })
	for address, want := range map[string]bool{
		"203.0.113.1": true, "198.18.1.1": true, "2001:db8:2::1": true, "192.0.2.7": true,
		"203.0.113.10": false, "2001:db8:2::20": false, "192.0.2.77": false, "2001:db8:99::1": false,
	} {
		if got := (policyroute.Route{}).Local(netip.MustParseAddr(address)); got != want {
			t.Errorf("Local(%s) = %t, want %t", address, got, want)
		}
	}
}
