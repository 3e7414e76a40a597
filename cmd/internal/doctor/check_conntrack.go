package doctor

import "ftpalg/cmd/internal/config"

// entries is how many connections a full gateway has: two control
// connections a session, and a data connection on every port.
func entries(c *config.Config) int {
	return 2*c.Limits.Sessions + c.Data.PassivePorts.Size() + c.Data.ActivePorts.Size()
}

func conntrackTable(f *Facts, c *config.Config) []Finding {
	const id, key = "conntrack-table", "net.netfilter.nf_conntrack_max"
	most, now, need := f.sysctl(below(key)), f.sysctl("net/netfilter/nf_conntrack_count"), entries(c)
	switch {
	case most == 0:
		return []Finding{warn(id, "connection tracking is not loaded").
			because("The gateway's rules load it. Only then can its limits be looked at.").by("modprobe nf_conntrack")}
	case now > most/4*3:
		return []Finding{problem(id, "the connection tracking table is nearly full: %d of %d entries", now, most).
			because("When it is full, new connections of every program are dropped.").by("sysctl -w %s=%d", key, 2*most)}
	case most < need:
		return []Finding{warn(id, "the connection tracking table has %d entries; the configured limits may need %d", most, need).
			because("A session takes two, a data connection one. When it is full, new connections are dropped.").by("sysctl -w %s=%d", key, 2*need)}
	}
	return []Finding{good(id, "the connection tracking table has %d of %d entries in use", now, most)}
}

func expectations(f *Facts, c *config.Config) []Finding {
	const id, key = "expectation-table", "net.netfilter.nf_conntrack_expect_max"
	most := f.sysctl(below(key))
	need := min(c.Limits.Sessions, c.Data.PassivePorts.Size()+c.Data.ActivePorts.Size())
	switch {
	case most == 0 || c.Data.Path == config.PathIPTables:
		return nil
	case f.Expectations > most/4*3:
		return []Finding{problem(id, "the kernel's expectation table is nearly full: %d of %d", f.Expectations, most).
			because("When it is full, PASV and PORT get 425.").by("sysctl -w %s=%d", key, 2*most)}
	case most < need:
		return []Finding{warn(id, "the kernel expects at most %d connections; the configured limits allow %d promises", most, need).
			because("Data connections that are announced and have not come are expectations. When the table is full, PASV and PORT get 425.").
			by("sysctl -w %s=%d", key, need)}
	}
	return []Finding{good(id, "the kernel expects %d of at most %d connections", f.Expectations, most)}
}

func accounting(f *Facts, _ *config.Config) []Finding {
	const id, key = "accounting", "net.netfilter.nf_conntrack_acct"
	switch f.Sysctls[below(key)] {
	case "":
		return nil
	case "0":
		return []Finding{warn(id, "%s is 0", key).
			because("The kernel counts no bytes of data connections, so that logs and metrics cannot say how much was transferred.").
			by("sysctl -w %s=1", key)}
	}
	return []Finding{good(id, "the kernel counts the bytes of data connections")}
}
