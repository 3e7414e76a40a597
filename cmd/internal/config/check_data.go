package config

// lowestPort is the first port that may be promised: below it are the
// privileged ports, which a peer must never be sent to (RFC 2577 section 3).
const lowestPort = 1024

func (c *Config) checkData(r *report) {
	const passive, active = "data.passive_ports", "data.active_ports"
	checkPrivileged(r, passive, c.Data.PassivePorts)
	checkPrivileged(r, active, c.Data.ActivePorts)
	c.checkPromised(r, passive, c.Data.PassivePorts)
	c.checkPromised(r, active, c.Data.ActivePorts)
	for i := range c.Listeners {
		passed, path := c.Listeners[i].TLS.PassPorts, index("listeners", i)+".tls.pass_ports"
		if passed != (PortRange{}) && r.clean(path) && (passed.Overlaps(c.Data.PassivePorts) || passed.Overlaps(c.Data.ActivePorts)) {
			r.add(path, "%s overlaps the ports of data: those are promised one by one", passed)
		}
	}
	if !r.clean(passive, active) || !c.Data.PassivePorts.Overlaps(c.Data.ActivePorts) {
		return
	}
	if r.given(active) {
		r.add(active, "%s overlaps data.passive_ports, %s: a port is promised once", c.Data.ActivePorts, c.Data.PassivePorts)
		return
	}
	r.add(passive, "%s overlaps data.active_ports, %s: a port is promised once; set that too", c.Data.PassivePorts, c.Data.ActivePorts)
}

func checkPrivileged(r *report, path string, ports PortRange) {
	if ports.First < lowestPort && r.clean(path) {
		r.add(path, "%s begins below %d, among the privileged ports", ports, lowestPort)
	}
}

// checkPromised reports a port that is listened on and could be promised too.
func (c *Config) checkPromised(r *report, path string, ports PortRange) {
	if !r.clean(path) {
		return
	}
	for i, l := range c.Listeners {
		listen := index("listeners", i) + ".listen"
		for j, addr := range l.Listen {
			if at := r.element(listen, j); ports.Contains(addr.Port()) && r.clean(at) {
				r.add(at, "port %d lies in %s, %s: it would be promised to a data connection", addr.Port(), path, ports)
			}
		}
	}
}
