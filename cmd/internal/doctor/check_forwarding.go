package doctor

import (
	"net/netip"
	"slices"

	"ftpalg/cmd/internal/config"
)

func forwarding(f *Facts, c *config.Config) (out []Finding) {
	for _, w := range wanted(c) {
		if !f.forwards(w) {
			continue
		}
		key := map[bool]string{false: "net.ipv4.ip_forward", true: "net.ipv6.conf.all.forwarding"}[w.six]
		if f.Sysctls[below(key)] == "1" {
			out = append(out, good(w.id("forwarding"), "%s packets are forwarded", w.name()))
			continue
		}
		out = append(out, problem(w.id("forwarding"), "%s packets are not forwarded: %s is not 1", w.name(), key).
			because("Sessions begin, but no data connection arrives: the kernel forwards those between client and server.").
			by("sysctl -w %s=1", key))
	}
	return out
}

// forwards reports whether data connections cross the machine: not where
// every server is on it.
func (f *Facts) forwards(w wants) bool {
	return len(w.intercepts) > 0 || len(w.servers) == 0 || slices.ContainsFunc(w.servers, func(s netip.AddrPort) bool { return !f.has(s.Addr()) })
}

// below returns where a sysctl is, below /proc/sys.
func below(key string) string {
	out := []byte(key)
	for i, b := range out {
		if b == '.' {
			out[i] = '/'
		}
	}
	return string(out)
}

// validMark looks for src_valid_mark, which has the source of our marked
// packets judged by the route that delivers them (net/ipv4/fib_frontend.c,
// __fib_validate_source): that route is local, and the packet is dropped.
func validMark(f *Facts, c *config.Config) (out []Finding) {
	const id = "src-valid-mark"
	if !uses(c, func(w wants) bool { return !w.six && w.foreign }) {
		return nil
	}
	for _, name := range append([]string{"all"}, f.linkNames()...) {
		if f.Sysctls["net/ipv4/conf/"+name+"/src_valid_mark"] == "1" {
			out = append(out, problem(id, "net.ipv4.conf.%s.src_valid_mark is 1", name).
				because("Transparent listeners and foreign source addresses hear nothing: the kernel drops the packets that the gateway's "+
					"policy route delivers. wg-quick sets it for a tunnel that takes the default route.").
				by("sysctl -w net/ipv4/conf/%s/src_valid_mark=0", name))
		}
	}
	if len(out) == 0 {
		out = append(out, good(id, "src_valid_mark is 0"))
	}
	return out
}

func (f *Facts) linkNames() (names []string) {
	for _, l := range f.Links {
		names = append(names, l.Name)
	}
	return names
}

// reversePath looks for clients whose packets strict reverse path filtering
// drops, because the way back to them leaves by another interface.
func reversePath(f *Facts, c *config.Config) (out []Finding) {
	const id = "rp-filter"
	for _, l := range c.Listeners {
		t := l.Transparent
		if t == nil || !f.strict(t.Interface) {
			continue
		}
		for _, network := range t.Clients {
			r, known := f.Routes[sample(network)]
			if !network.Addr().Is4() || !known || r.Device == t.Interface || r.Local {
				continue
			}
			out = append(out, problem(id, "rp_filter is strict on %s, and the way back to clients %s is not by it", t.Interface, network).
				because("The kernel drops every packet that comes in where the answer would not go out.").
				by("sysctl -w net/ipv4/conf/%s/rp_filter=2", t.Interface))
		}
	}
	if len(out) == 0 {
		out = append(out, good(id, "rp_filter drops none of the packets that ftpalg needs"))
	}
	return out
}

// strict reports whether the interface filters by reverse path: the greater
// of its own value and that for all counts (Documentation/networking/
// ip-sysctl.rst).
func (f *Facts) strict(device string) bool {
	return max(f.sysctl("net/ipv4/conf/all/rp_filter"), f.sysctl("net/ipv4/conf/"+device+"/rp_filter")) == 1
}

// sample returns an address of a network to ask the way to.
func sample(p netip.Prefix) netip.Addr {
	if p.IsSingleIP() {
		return p.Addr()
	}
	return p.Masked().Addr().Next()
}
