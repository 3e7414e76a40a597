package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ftpalg/cmd/internal/config"
)

// program is the name of the gateway's own processes.
const program = "ftpalg"

// takes reports whether the socket keeps another one from a's port. One on ::
// has the IPv4 addresses too, unless it says otherwise (ipv6(7)).
func (s Socket) takes(a netip.AddrPort) bool {
	has, wants := s.At.Addr(), a.Addr()
	if s.At.Port() != a.Port() || s.Program == program || has.Is4() && wants.Is6() {
		return false
	}
	return has == wants || has.IsUnspecified() || wants.IsUnspecified() && has.Is4() == wants.Is4()
}

// String names the socket and who holds it.
func (s Socket) String() string {
	if s.Program == "" {
		return s.At.String()
	}
	return fmt.Sprintf("%s (%s, process %d)", s.At, s.Program, s.PID)
}

// end returns the command that closes the socket.
func (s Socket) end() string {
	switch {
	case strings.HasSuffix(s.Unit, ".service"), strings.HasSuffix(s.Unit, ".socket"):
		return "systemctl disable --now " + s.Unit
	case s.PID != 0:
		return "kill " + strconv.Itoa(s.PID)
	}
	return fmt.Sprintf("ss -ltnp 'sport = :%d'", s.At.Port())
}

// listeners looks for programs where the gateway is to listen.
func listeners(f *Facts, c *config.Config) (out []Finding) {
	const id = "listen-port"
	wanted := wanted(c)
	var all []netip.AddrPort
	for _, w := range wanted {
		all = append(all, w.listens...)
	}
	if c.Admin.HTTP.IsValid() {
		all = append(all, c.Admin.HTTP)
	}
	for _, a := range all {
		i := slices.IndexFunc(f.Listening, func(s Socket) bool { return s.takes(a) })
		if i < 0 {
			out = append(out, good(id, "%s is free, or the gateway's already", a))
			continue
		}
		s := f.Listening[i]
		found := problem(id, "%s is taken by %s", a, s).
			because("The gateway cannot listen there. A server on this machine needs another port or address.").by("%s", s.end())
		if s.PID == 0 { // perhaps the gateway itself
			found.Severity = Warning
		}
		out = append(out, found)
	}
	return out
}

// dataListeners looks for programs on ports that the gateway promises.
func dataListeners(f *Facts, c *config.Config) (out []Finding) {
	const id = "data-port"
	for _, s := range f.Listening {
		for _, r := range ports(c) {
			if r.Contains(s.At.Port()) && s.Program != program && !s.At.Addr().IsLoopback() {
				out = append(out, warn(id, "%s listens within data ports %s", s, r).
					because("While that port is promised, the promised peer's connections reach the file transfer and not this program.").
					by("%s", s.end()))
			}
		}
	}
	if len(out) == 0 {
		out = append(out, good(id, "no program listens within the data ports"))
	}
	return out
}

// reservedPorts looks whether the kernel may give data ports to programs
// that connect to somewhere.
func reservedPorts(f *Facts, c *config.Config) []Finding {
	const id, key = "reserved-ports", "net.ipv4.ip_local_reserved_ports"
	local, picked := ranges(f.Sysctls["net/ipv4/ip_local_port_range"], "\t"), false
	reserved := f.Sysctls[below(key)]
	var missing []string
	for _, r := range joined(ports(c)) {
		picked = picked || slices.ContainsFunc(local, r.Overlaps)
		if !covered(r, ranges(reserved, "-")) {
			missing = append(missing, r.String())
		}
	}
	if len(missing) == 0 || !picked {
		return []Finding{good(id, "the kernel gives data ports to no program")}
	}
	list := strings.Join(missing, ",")
	if reserved != "" {
		list = reserved + "," + list
	}
	return []Finding{warn(id, "the kernel may give data ports %s to programs that connect to somewhere", strings.Join(missing, ", ")).
		because("Such a connection and a promise on the same port get in each other's way.").
		by("sysctl -w %s=%s", key, list)}
}

// ranges reads a list of port ranges as the kernel writes it.
func ranges(text, between string) (out []config.PortRange) {
	for _, some := range strings.Split(text, ",") {
		low, high, ranged := strings.Cut(some, between)
		if !ranged {
			high = low
		}
		first, err1 := strconv.ParseUint(strings.TrimSpace(low), 10, 16)
		last, err2 := strconv.ParseUint(strings.TrimSpace(high), 10, 16)
		if err1 == nil && err2 == nil {
			out = append(out, config.PortRange{First: uint16(first), Last: uint16(last)})
		}
	}
	return out
}

// covered reports whether every port of r is in one of the ranges, which the
// kernel keeps in order and apart.
func covered(r config.PortRange, by []config.PortRange) bool {
	next := int(r.First)
	for _, b := range by {
		if int(b.First) <= next && next <= int(b.Last) {
			next = int(b.Last) + 1
		}
	}
	return next > int(r.Last)
}
