package bench

import (
	"testing"
)

// claim is what the table must show: one figure, or the quotient of two, as
// the median over the rounds.
type claim struct {
	says   string
	of, by figure // by is zero where of stands alone
	// least and most are bounds; 0 is none.
	least, most float64
}

func claims() []claim {
	const (
		bulk    = "1 GB PASV"
		oneNOOP = "NOOP, 1 session, p50"
		empty   = "PASV, 0 others open, p50"
	)
	return []claim{
		{says: "iptables: a download is as fast as through kernel NAT",
			of: figure{bulk, viaRules}, by: figure{bulk, helper}, least: 0.95},
		{says: "iptables: a NOOP takes at most three times as long as without a gateway",
			of: figure{oneNOOP, viaRules}, by: figure{oneNOOP, routing}, most: 3},
		{says: "iptables: 1000 idle sessions take at most 30 MB",
			of: figure{"memory at 1000 idle sessions", viaRules}, most: 30},
		{says: "iptables: more sessions get more transfers done",
			of: figure{"1 KB PASV, 64 sessions", viaRules}, by: figure{"1 KB PASV, 1 session", viaRules}, least: 3},
		{says: "conntrack: PASV against the kernel helper",
			of: figure{"1 KB PASV, 8 sessions", viaCT}, by: figure{"1 KB PASV, 8 sessions", helper}, least: 0.75},
		{says: "conntrack: EPSV against the kernel helper",
			of: figure{"1 KB EPSV, 8 sessions", viaCT}, by: figure{"1 KB EPSV, 8 sessions", helper}, least: 0.75},
		{says: "conntrack: PORT against the kernel helper",
			of: figure{"1 KB PORT, 8 sessions", viaCT}, by: figure{"1 KB PORT, 8 sessions", helper}, least: 0.9},
		{says: "conntrack: logins against the kernel helper",
			of: figure{"logins, 8 at a time", viaCT}, by: figure{"logins, 8 at a time", helper}, least: 1},
		{says: "conntrack: a download is as fast as through kernel NAT",
			of: figure{bulk, viaCT}, by: figure{bulk, helper}, least: 0.98},
		{says: "conntrack: ten times the transfers of a proxy that copies",
			of: figure{"1 KB PASV, 8 sessions", viaCT}, by: figure{"1 KB PASV, 8 sessions", suse}, least: 10},
		{says: "conntrack: a NOOP takes at most 2.5 times as long as without a gateway",
			of: figure{oneNOOP, viaCT}, by: figure{oneNOOP, routing}, most: 2.5},
		{says: "conntrack: 9000 idle sessions take at most 20 KB each",
			of: figure{"memory at 9000 idle sessions", viaCT}, most: 9000 * 20. / 1024},
		{says: "conntrack: a NOOP beside 9000 idle sessions takes at most a quarter longer",
			of: figure{"NOOP beside 9000 idle sessions, p50", viaCT}, by: figure{oneNOOP, viaCT}, most: 1.25},
		{says: "relay: a download is nearly as fast as by plain routing",
			of: figure{bulk, viaRelay}, by: figure{bulk, routing}, least: 0.9},
		{says: "FTPS: a download is nearly as fast as from a server that speaks TLS itself",
			of: figure{"FTPS, 1 GB PASV", viaTLS}, by: figure{"FTPS, 1 GB PASV", ownTLS}, least: 0.8},
		{says: "FTPS: an idle session takes at most 60 KB",
			of: figure{"FTPS, memory at 1000 idle sessions", viaTLS}, most: idleBase + 1000*60./1024},
		{says: "conntrack: a pinhole costs the same whatever is open",
			of: figure{"PASV, 4000 others open, p50", viaCT}, by: figure{empty, viaCT}, most: 1.5},
	}
}

// idleBase is what both processes take without a session, in MB.
const idleBase = 18

// check fails if the claim does not hold. A figure that was not measured is
// passed over, one whose measurement failed is not.
func (c claim) check(t *testing.T, s settings, r *report) {
	if s.quick {
		t.Skip("one short round proves nothing")
	}
	for _, f := range []figure{c.of, c.by} {
		if err := r.failure(f); err != nil {
			t.Fatal(err)
		}
	}
	values := r.values(c.of)
	if c.by != (figure{}) {
		values = quotients(values, r.values(c.by))
	}
	got, ok := median(values)
	if !ok {
		t.Skip("not measured")
	}
	t.Logf("%.2f; rounds %.2f", got, values)
	if c.least > 0 && got < c.least {
		t.Errorf("%.2f, want %.2f at least", got, c.least)
	}
	if c.most > 0 && got > c.most {
		t.Errorf("%.2f, want %.2f at most", got, c.most)
	}
}

// failure returns the error that the measuring of a figure ended with.
func (r *report) failure(f figure) error {
	for _, p := range r.probes {
		for _, m := range p.measures {
			if c := r.cells[place{p.name, f.column}]; m.name == f.row && c != nil {
				return c.failure
			}
		}
	}
	return nil
}
