package config

import "net/netip"

// check reports what single values cannot tell: values that are missing, that
// contradict each other, or that this version cannot serve.
func (c *Config) check(r *report) {
	if len(c.Listeners) == 0 && r.clean("listeners") {
		r.add("listeners", "none; at least one is needed")
	}
	c.checkNames(r)
	for i := range c.Listeners {
		c.Listeners[i].check(r, index("listeners", i))
	}
	c.checkEndpoints(r)
	c.checkInterception(r)
	c.checkData(r)
	c.checkLimits(r)
	for i := range c.NAT {
		c.NAT[i].check(r, index("nat", i), c.Data)
	}
	c.checkMappings(r)
	c.checkAdmin(r)
	if c.User == "root" {
		r.add("user", "the process that reads from the network must not be root's; name another user")
	}
}

// leastShare is how many data ports one client may hold in however small a
// range: as many as a client with a few transfers side by side needs.
const leastShare = 32

func (c *Config) checkLimits(r *report) {
	if c.Limits.PromisesPerClient == 0 {
		c.Limits.PromisesPerClient = max(leastShare, c.Data.PassivePorts.Size()/10)
	}
	const path = "limits.sessions_per_client"
	if c.Limits.SessionsPerClient <= c.Limits.Sessions || !r.clean(path, "limits.sessions") {
		return
	}
	if r.given(path) {
		r.add(path, "%d is more than limits.sessions, %d", c.Limits.SessionsPerClient, c.Limits.Sessions)
		return
	}
	r.add("limits.sessions", "%d is less than limits.sessions_per_client, %d; lower that too", c.Limits.Sessions, c.Limits.SessionsPerClient)
}

// family names the family of an address.
func family(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}

// sameFamily reports whether both are IPv4 or both IPv6. An address that could
// not be read is of every family: it has been reported already.
func sameFamily(a, b netip.Addr) bool {
	return !a.IsValid() || !b.IsValid() || a.Is4() == b.Is4()
}
