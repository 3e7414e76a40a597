package explain

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"ftpalg/alg"
	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
	"ftpalg/alg/wire"
	"ftpalg/rules"
)

// Announcement is one way to announce a data connection, and what becomes of
// it. Ports in Line, Pinhole, Rules and Expectation are examples: that of the
// peer is 40000, a promised one the first of its range.
type Announcement struct {
	Mode expect.Mode `json:"mode"`
	// Refused is the reply that the client gets instead; nothing else is set
	// then.
	Refused string `json:"refused,omitempty"`
	// Converted says what becomes of it where the server's side is made in another
	// mode; nothing else is set then.
	Converted string `json:"converted,omitempty"`
	// By is who announces, To who is told: "server" or "client".
	By string `json:"by,omitempty"`
	To string `json:"to,omitempty"`
	// Address and Ports are what the other side is told; Ports says of which
	// range a port is, or whose own it is.
	Address netip.Addr `json:"address,omitzero"`
	Ports   string     `json:"ports,omitempty"`
	// Line is such a line, as it leaves the gateway.
	Line string `json:"line,omitempty"`
	// NAT says which mapping applies, or why none does.
	NAT string `json:"nat,omitempty"`
	// Pinhole is the connection that is admitted; Expectation and Rules are
	// what opens it in either data path.
	Pinhole     string   `json:"pinhole,omitempty"`
	Expectation string   `json:"expectation,omitempty"`
	Rules       []string `json:"rules,omitempty"`
}

// announcement asks the dialogue, then the mapping, then the rules, as a
// session does.
func (p asked) announcement(mode expect.Mode) (Announcement, error) {
	line, verdict := p.judge(mode)
	if verdict.Action != dialogue.Announce {
		return Announcement{Mode: mode, Refused: strings.TrimSpace(string(verdict.Answer))}, nil
	}
	if with := verdict.Announcement.ServerMode; with != 0 {
		return Announcement{Mode: mode, Converted: p.converted(with)}, nil
	}
	out := Announcement{Mode: mode, By: "client", To: "server"}
	if mode.Passive() {
		out.By, out.To = "server", "client"
	}
	told, err := alg.Translate(p.ends, verdict.Announcement, &p.settings)
	if errors.Is(err, nat.ErrUnresolved) {
		out.NAT = err.Error() + "; the running gateway looks the name up, and until then the client gets 425"
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.NAT = p.mapping(told)
	ports, first := p.ports(told, out.By)
	out.Address, out.Ports = told.View.Addr, ports
	if first == 0 {
		out.NAT += "; no promised port is among its ports, and the client gets 425"
		return out, nil
	}
	out.Line = strings.TrimSpace(string(verdict.Announcement.Rewrite(nil, line, told.Text(first))))
	return p.opened(out, told, first)
}

// converted says how a data connection is made whose server's side is in this mode.
func (p asked) converted(with expect.Mode) string {
	if !with.Passive() {
		return fmt.Sprintf("the server is told %s with a port of %s at %s, the client a port of %s at %s; the gateway waits for both",
			with, p.settings.ActivePorts, p.ends.Seen.Addr(), p.settings.PassivePorts, p.ends.Reached.Addr())
	}
	asked := "EPSV"
	switch {
	case with == expect.PASV:
		asked = "PASV"
	case p.ends.Server.Addr().Is4():
		asked = "EPSV, and PASV if it does not know that"
	}
	return "the server is asked " + asked + "; the gateway connects to it, and to the client when the transfer begins"
}

// ports describes the ports that are told, and returns an example of the one
// at our address, 0 if there is none.
func (p asked) ports(told alg.Translation, by string) (text string, first uint16) {
	if !told.Leased {
		return "the " + by + "'s own port", told.Target.Port()
	}
	var last uint16
	for port := int(told.Ports.Low); port <= int(told.Ports.High); port++ {
		if usable := uint16(port); told.View.Usable(usable) {
			if first == 0 {
				first = usable
			}
			last = usable
		}
	}
	if first == 0 {
		return "no port", 0
	}
	low, _ := told.View.Port(first)
	high, _ := told.View.Port(last)
	return "a port of " + nat.Range{Low: low, High: high}.String(), first
}

// mapping says which NAT mapping applies, or why none does.
func (p asked) mapping(told alg.Translation) string {
	if !told.Leased {
		return fmt.Sprintf("%s is not the gateway's, and passes as it is", told.Reached)
	}
	applies, excepting := p.settings.NAT.Applies(told.Reached, told.From)
	var why []string
	for _, m := range excepting {
		why = append(why, fmt.Sprintf("that to %s excepts %s", public(m), told.From))
	}
	switch {
	case applies != nil:
		why = append(why, fmt.Sprintf("%s is seen as %s", applies.Local, applies.Public))
		if applies.LocalPorts.Size() > 0 {
			why = append(why, fmt.Sprintf("ports %s as %s", applies.LocalPorts, applies.PublicPorts))
		}
	case len(excepting) == 0:
		why = []string{"no mapping of " + told.Reached.String()}
	}
	return strings.Join(why, ", ")
}

// public names what a mapping leads to.
func public(m *nat.Mapping) string {
	if m.Name != "" {
		return m.Name
	}
	return m.Public.String()
}

// opened adds what would be opened.
func (p asked) opened(out Announcement, told alg.Translation, port uint16) (Announcement, error) {
	e := expect.Expectation{
		ID: 1, Session: 1, Mode: told.Mode, From: told.From, Target: told.Target, Seen: told.Seen, Until: p.until,
		Reached: netip.AddrPortFrom(told.Reached, port),
	}
	e.Relayed = p.settings.Relay || p.relays || p.ends.Convert()
	_, out.Pinhole, _ = strings.Cut(e.String(), ": ")
	local := p.own == e.Target.Addr() || e.Relayed
	if e.Relayed { // what is opened leads to the gateway's own socket
		e.Seen, e.Target = e.From, e.Reached
		if !told.Leased {
			e.Target = netip.AddrPortFrom(p.own, port) // the port is the kernel's choice
		}
	}
	o := p.options
	if p.options.Path != rules.Conntrack {
		o.Path = rules.IPTables
		lines, err := rules.Opens(o, e, local)
		if err != nil {
			return out, err
		}
		out.Rules = lines
	}
	if p.options.Path != rules.IPTables {
		o.Path = rules.Conntrack
		lines, err := rules.Opens(o, e, local)
		if err != nil {
			return out, err
		}
		out.Expectation = lines[0]
	}
	return out, nil
}

// judge has the dialogue of a fresh session read a line that announces a data
// connection on dataPort.
func (p asked) judge(mode expect.Mode) ([]byte, dialogue.Verdict) {
	d := dialogue.New(p.policy, p.ends.Client.Addr(), p.ends.Server.Addr())
	d.Reply(reply("220 ready"))
	l := p.said(mode)
	v := d.Command(l)
	if v.Action != dialogue.Pass {
		return l.Bytes, v
	}
	asked := strings.TrimSpace(string(v.Line))
	if asked == "" {
		asked = mode.String()
	}
	l = reply("227 Entering Passive Mode (" + p.sixNumbers(p.ends.Server.Addr()) + ").")
	if asked == "EPSV" {
		l = reply(fmt.Sprintf("229 Entering Extended Passive Mode (|||%d|)", p.dataPort()))
	}
	return l.Bytes, d.Reply(l)
}

// said returns the client's line.
func (p asked) said(mode expect.Mode) wire.Line {
	switch mode {
	case expect.PASV, expect.EPSV:
		return command(mode.String())
	case expect.PORT:
		return command("PORT " + p.sixNumbers(p.ends.Client.Addr()))
	}
	number := map[bool]int{true: 1, false: 2}[p.ends.Client.Addr().Is4()]
	return command(fmt.Sprintf("EPRT |%d|%s|%d|", number, p.ends.Client.Addr(), p.dataPort()))
}

func reply(text string) wire.Line {
	var s wire.ReplySplitter
	l, _ := s.Next([]byte(text + "\r\n"))
	return l
}

func command(text string) wire.Line {
	var s wire.CommandSplitter
	l, _ := s.Next([]byte(text + "\r\n"))
	return l
}

// sixNumbers writes a host-port as PORT and 227 do (RFC 959 section 4.1.2);
// an IPv6 address, which these cannot name, as 0.0.0.0.
func (p asked) sixNumbers(a netip.Addr) string {
	if !a.Is4() {
		a = netip.IPv4Unspecified()
	}
	return strings.ReplaceAll(a.String(), ".", ",") + fmt.Sprintf(",%d,%d", p.dataPort()>>8, p.dataPort()&0xff)
}
