package doctor

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strings"

	"ftpalg/cmd/internal/config"
)

// dataForwardedByOthers looks for standing rules that open data ports to
// everybody, as gateways without an ALG need them.
func dataForwardedByOthers(f *Facts, c *config.Config) (out []Finding) {
	const id = "data-forwarded"
	for _, w := range wanted(c) {
		r := f.inForce(w.six)
		if r == nil {
			continue
		}
		for _, a := range w.listens {
			p := packet{to: host(a.Addr()), in: f.enters(a.Addr()), port: c.Data.PassivePorts, local: true}
			if hit := r.walk("nat", "PREROUTING", p, false); hit.translates() {
				out = append(out, warn(id, "%s: a standing rule sends data ports on: -A %s %s", r.Tool, hit.chain, strings.Join(hit.rule, " ")).
					because("It opens those ports to everybody at all times; the gateway opens each to one peer, once.").
					by("%s", r.removal(hit.table, hit.chain, hit.rule)))
			}
		}
	}
	if len(out) == 0 && f.listed(c) {
		out = append(out, good(id, "no standing rule opens data ports"))
	}
	return once(out)
}

// sourceTranslated looks for SNAT and MASQUERADE that hide the clients from
// servers which are to see them.
func sourceTranslated(f *Facts, c *config.Config) (out []Finding) {
	const id = "source-translated"
	for _, w := range wanted(c) {
		r := f.inForce(w.six)
		if r == nil {
			continue
		}
		for _, l := range w.asClient {
			for _, d := range f.departures(l, c.Netfilter) {
				hit := r.walk("nat", "POSTROUTING", d.packet, false)
				if hit.target != "SNAT" && hit.target != "MASQUERADE" {
					continue
				}
				severity := map[bool]Severity{true: Problem, false: Warning}[hit.certainty == surely]
				out = append(out, problem(id, "%s: a rule hides the clients of listener %s from the server: -A %s %s", r.Tool, l.Name, hit.chain, strings.Join(hit.rule, " ")).as(severity).
					because("The listener has `source: client`, so the gateway tells the server addresses of clients, and it sees another. The command makes an exception; "+
						"`source: gateway` would do as well.").
					by("%s", r.exceptions(d.matches)))
			}
		}
	}
	if len(out) == 0 && f.listed(c) {
		out = append(out, good(id, "no rule of others hides clients that servers are to see"))
	}
	return out
}

// departure is the first packet that the gateway sends to a server, and the
// matches that make exceptions for such connections.
type departure struct {
	packet  packet
	matches []string
}

// departures lists those of a listener. Of what crosses the machine, that which
// belongs to a session has our mark.
func (f *Facts) departures(l *config.Listener, n config.Netfilter) (all []departure) {
	t := l.Transparent
	if t == nil {
		for _, a := range l.Servers {
			server := host(a.Addr())
			all = append(all, departure{packet{to: server, out: f.Routes[a.Addr()].Device, port: single(a.Port())}, []string{"-d " + server.String() + " -p tcp"}})
		}
		return all
	}
	p := packet{port: single(t.Ports[0])}
	from := ""
	if len(t.Clients) > 0 {
		p.from = t.Clients[0]
		from = "-s " + prefixes(t.Clients) + " "
	}
	pinhole := bits.RotateLeft32(n.Mark, 1)
	return []departure{{p, []string{
		from + "-p tcp -m multiport --dports " + portList(t.Ports),
		fmt.Sprintf("-p tcp -m connmark --mark %#x/%#x", pinhole, pinhole),
	}}}
}

// exceptions returns the command that keeps connections from being
// translated.
func (r *Ruleset) exceptions(matches []string) string {
	commands := make([]string, len(matches))
	for i, m := range matches {
		commands[i] = r.Tool + " -t nat -I POSTROUTING " + m + " -j RETURN"
	}
	return strings.Join(commands, " && ")
}

func portList(ports []uint16) string {
	words := make([]string, len(ports))
	for i, p := range ports {
		words[i] = number(uint64(p))
	}
	return strings.Join(words, ",")
}

func prefixes(list []netip.Prefix) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p.String()
	}
	return strings.Join(words, ",")
}
