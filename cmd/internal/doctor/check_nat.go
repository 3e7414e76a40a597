package doctor

import (
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
			p := packet{to: host(a.Addr()), in: f.deviceOf(a.Addr()), port: c.Data.PassivePorts, local: true}
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
			p, at := f.departure(l)
			hit := r.walk("nat", "POSTROUTING", p, false)
			if hit.target != "SNAT" && hit.target != "MASQUERADE" {
				continue
			}
			severity := map[bool]Severity{true: Problem, false: Warning}[hit.certainty == surely]
			out = append(out, problem(id, "%s: a rule hides the clients of listener %s from the server: -A %s %s", r.Tool, l.Name, hit.chain, strings.Join(hit.rule, " ")).as(severity).
				because("The listener has `source: client`, so the gateway tells the server addresses of clients, and it sees another. The command makes an exception; "+
					"`source: gateway` would do as well.").
				by("%s -t nat -I POSTROUTING %s-p tcp -j RETURN", r.Tool, at))
		}
	}
	if len(out) == 0 && f.listed(c) {
		out = append(out, good(id, "no rule of others hides clients that servers are to see"))
	}
	return out
}

// departure is the first packet that the gateway sends to a listener's
// server, and the matches of a rule for such packets.
func (f *Facts) departure(l *config.Listener) (packet, string) {
	if t := l.Transparent; t != nil {
		p := packet{port: single(t.Ports[0])}
		if len(t.Clients) > 0 {
			p.from = t.Clients[0]
			return p, "-s " + prefixes(t.Clients) + " "
		}
		return p, ""
	}
	server := l.Server.Addr()
	return packet{to: host(server), out: f.Routes[server].Device, port: single(l.Server.Port())}, "-d " + host(server).String() + " "
}

func prefixes(list []netip.Prefix) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = p.String()
	}
	return strings.Join(words, ",")
}
