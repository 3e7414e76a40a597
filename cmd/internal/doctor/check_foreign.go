package doctor

import (
	"net/netip"
	"strings"

	"ftpalg/cmd/internal/config"
)

// arrival is the first packet of a client's control connection.
type arrival struct {
	packet
	at       string // the address and port, for people
	listener *config.Listener
}

// arrivals returns what clients of the family send, as far as it is known.
func (f *Facts) arrivals(w wants) (out []arrival) {
	for _, a := range w.listens {
		p := packet{port: single(a.Port()), local: true, in: f.enters(a.Addr())}
		if !a.Addr().IsUnspecified() {
			p.to = host(a.Addr())
		}
		out = append(out, arrival{p, a.String(), nil})
	}
	for _, l := range w.intercepts {
		for _, port := range l.Transparent.Ports {
			p := packet{in: l.Transparent.Interface, port: single(port)}
			out = append(out, arrival{p, "port " + number(uint64(port)) + " of servers beyond " + p.in, l})
		}
	}
	return out
}

// enters returns the interface by which packets to one of our addresses come
// in; "" where the address is that of no cable.
func (f *Facts) enters(a netip.Addr) string {
	if name := f.deviceOf(a); name != "lo" {
		return name
	}
	return ""
}

func single(port uint16) config.PortRange { return config.PortRange{First: port, Last: port} }

func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// hook is a built-in chain that a packet passes. In those where the gateway
// takes the packet itself, only what stands before its own jump matters.
type hook struct {
	table, chain string
	own          bool
}

// controlRefused looks for rules that drop control connections before the
// gateway's own rules see them.
func controlRefused(f *Facts, c *config.Config) (out []Finding) {
	const id = "control-refused"
	for _, w := range wanted(c) {
		for _, a := range f.arrivals(w) {
			intercepted := a.listener != nil
			for _, h := range []hook{{"raw", "PREROUTING", false}, {"mangle", "PREROUTING", intercepted}, {"mangle", "INPUT", false}, {"filter", "INPUT", true}} {
				out = append(out, f.refusal(id, w, h, a.packet, "control connections to "+a.at)...)
			}
		}
	}
	if len(out) == 0 && f.listed(c) {
		out = append(out, good(id, "no rule of others drops control connections before the gateway has them"))
	}
	return out
}

// refusal returns a finding if a chain drops the packet.
func (f *Facts) refusal(id string, w wants, h hook, p packet, what string) []Finding {
	r := f.inForce(w.six)
	if r == nil {
		return nil
	}
	hit := r.walk(h.table, h.chain, p, h.own)
	if !hit.refuses() {
		return nil
	}
	found := problem(id, "%s: %s %s drops %s", r.Tool, h.table, h.chain, what)
	if hit.certainty < surely {
		found = warn(id, "%s: %s %s may drop %s", r.Tool, h.table, h.chain, what)
	}
	if hit.rule == nil {
		return []Finding{found.because("The chain's policy is "+hit.target+", and no rule accepts them.").by("%s", acceptance(r, h, p))}
	}
	return []Finding{found.because("The rule is: -A "+hit.chain+" "+strings.Join(hit.rule, " ")).
		by("%s", r.removal(hit.table, hit.chain, hit.rule))}
}

// acceptance returns the command that lets a packet through a chain.
func acceptance(r *Ruleset, h hook, p packet) string {
	words := []string{r.Tool, "-t", h.table, "-I", h.chain}
	if p.established {
		words = append(words, "-m conntrack --ctstate ESTABLISHED")
	} else {
		words = append(words, "-p tcp --dport", number(uint64(p.port.First)))
	}
	return strings.Join(append(words, "-j ACCEPT"), " ")
}

// controlTranslated looks for rules that send control connections elsewhere.
func controlTranslated(f *Facts, c *config.Config) (out []Finding) {
	const id = "control-translated"
	for _, w := range wanted(c) {
		r := f.inForce(w.six)
		if r == nil {
			continue
		}
		for _, a := range f.arrivals(w) {
			redirected := a.listener != nil && a.listener.Transparent.Method == config.MethodRedirect
			for _, h := range []hook{{"mangle", "PREROUTING", a.listener != nil && !redirected}, {"nat", "PREROUTING", redirected}} {
				hit := r.walk(h.table, h.chain, a.packet, h.own)
				if !hit.translates() {
					continue
				}
				severity := map[bool]Severity{true: Problem, false: Warning}[hit.certainty == surely]
				out = append(out, problem(id, "%s: a rule sends control connections to %s elsewhere: -A %s %s", r.Tool, a.at, hit.chain, strings.Join(hit.rule, " ")).as(severity).
					because("They never reach the gateway.").by("%s", r.removal(hit.table, hit.chain, hit.rule)))
			}
		}
		out = append(out, f.eachNative(w, func(chain *NativeChain, rule *NativeRule, port uint16) []Finding {
			if chain.Type != "nat" || chain.Hook != "prerouting" || !rule.ends("dnat", "redirect") {
				return nil
			}
			return []Finding{warn(id, "a rule in nft chain %s may send control connections to port %d elsewhere", chain, port).
				because("Those never reach the gateway.").by("%s", chain.removal(rule))}
		})...)
	}
	if len(out) == 0 && f.listed(c) {
		out = append(out, good(id, "no rule of others sends control connections elsewhere"))
	}
	return out
}

// establishedRefused looks whether packets after the first are let through:
// the gateway's rules only concern the first.
func establishedRefused(f *Facts, c *config.Config) (out []Finding) {
	const id = "established"
	for _, w := range wanted(c) {
		for _, a := range f.arrivals(w) {
			to, from := a.packet, packet{out: a.in, established: true}
			to.established = true
			data := packet{in: a.in, established: true}
			out = append(out, f.refusal(id, w, hook{"filter", "INPUT", false}, to, "established control connections")...)
			out = append(out, f.refusal(id, w, hook{"filter", "OUTPUT", false}, from, "answers to established control connections")...)
			if f.forwards(w) {
				out = append(out, f.refusal(id, w, hook{"filter", "FORWARD", false}, data, "established data connections")...)
			}
		}
	}
	if len(out) == 0 && f.listed(c) {
		out = append(out, good(id, "established connections are let through"))
	}
	return once(out)
}

// once leaves out what was found already.
func once(all []Finding) (out []Finding) {
	seen := map[Finding]bool{}
	for _, f := range all {
		if !seen[f] {
			seen[f] = true
			out = append(out, f)
		}
	}
	return out
}
