package explain

import (
	"fmt"
	"io"
	"strings"

	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/wrap"
)

// width is the most columns that a line takes.
const width = 100

// Print writes the answer for people.
func Print(w io.Writer, a Answer) error {
	p := &page{}
	p.line("client %s", a.Client)
	for _, l := range a.Listeners {
		p.line("")
		p.b.WriteString(wrap.Text(l.Name+": "+l.Why, 2, width) + "\n")
		for _, s := range l.Sessions {
			p.session(s)
		}
	}
	if a.Taken() {
		p.line("")
		p.line("%s", wrap.Text(fmt.Sprintf("In lines, pinholes and rules port %d stands for one that client or server picks, and the first of "+
			"a range for one that the gateway picks at random.", peerPort), 0, width))
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// page collects lines.
type page struct{ b strings.Builder }

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

// fact writes a label and what is to be said of it, if anything.
func (p *page) fact(indent, column int, label, text string) {
	if text != "" {
		p.line("%*s%-*s%s", indent, "", column-indent, label, wrap.Text(text, column, width))
	}
}

func (p *page) session(s Session) {
	const indent, column = 2, 14
	p.line("")
	p.fact(indent, column, "reached at", s.Reached.String())
	p.fact(indent, column, "server", fmt.Sprintf("%s, which sees the client as %s (%s)", s.Server, s.Seen, s.Source))
	auth := map[string]string{
		"off": "AUTH gets 502", "pass": "AUTH passes, and the session becomes opaque", "refuse": "AUTH gets 534",
		"offer":   "TLS with the client may begin, and ends here; protected data is relayed",
		"require": "TLS with the client must begin, and ends here; its data is relayed",
	}[s.TLS]
	third := map[string]string{"allow": "PORT and EPRT may name another host", "refuse": "PORT and EPRT must name the client itself"}[s.ThirdParty]
	p.fact(indent, column, "policy", auth+"; "+third)
	p.fact(indent, column, "TLS", map[string]string{
		"explicit": "begins with the server by AUTH; its data is relayed", "implicit": "begins with the server at once; its data is relayed",
	}[s.ServerTLS])
	p.fact(indent, column, "allowed", allowed(s))
	p.fact(indent, column, "limits", fmt.Sprintf("%d sessions of one client, %d in all; %s of silence; %s for a promised connection to come",
		s.SessionsPerClient, s.Sessions, s.IdleTimeout, s.PinholeTimeout))
	path := s.Path
	if path == string(config.PathAuto) {
		path += ": conntrack where a probe at start shows that it works, else iptables"
	}
	p.fact(indent, column, "data path", path)
	for _, a := range s.Announcements {
		p.announcement(a)
	}
}

func (p *page) announcement(a Announcement) {
	const indent, column = 8, 20
	p.line("")
	if a.Refused != "" {
		p.line("  %-6s%s", a.Mode, "the client gets "+a.Refused)
		return
	}
	if a.Converted != "" {
		p.line("  %-6s%s", a.Mode, wrap.Text(a.Converted, indent, width))
		return
	}
	told := fmt.Sprintf("the %s announces, the %s is told", a.By, a.To)
	switch {
	case a.Address.IsValid() && a.Mode == expect.EPSV:
		told += fmt.Sprintf(" %s, and goes to %s", a.Ports, a.Address)
	case a.Address.IsValid():
		told += fmt.Sprintf(" %s and %s", a.Address, a.Ports)
	default:
		told += " nothing yet"
	}
	p.line("  %-6s%s", a.Mode, wrap.Text(told, indent, width))
	p.fact(indent, column, "line", a.Line)
	p.fact(indent, column, "nat", a.NAT)
	p.fact(indent, column, "pinhole", a.Pinhole)
	p.fact(indent, column, "conntrack", a.Expectation)
	label := "iptables"
	for _, r := range a.Rules {
		p.line("%*s%-*s%s", indent, "", column-indent, label, wrap.Rule(r, column, width))
		label = ""
	}
}

// allowed says which commands, modes and users the listener allows, "" if all.
func allowed(s Session) string {
	var parts []string
	if s.Commands != string(config.CommandsAll) {
		parts = append(parts, "commands: "+s.Commands)
	}
	if len(s.Deny) > 0 {
		parts = append(parts, "all but deny: "+strings.Join(s.Deny, ", "))
	}
	if s.Modes != string(config.ModesAny) {
		parts = append(parts, "modes: "+s.Modes)
	}
	if s.Users != string(config.UsersAny) {
		parts = append(parts, "users: "+s.Users)
	}
	if s.LowestDataPort > 1024 {
		parts = append(parts, fmt.Sprintf("lowest_data_port: %d", s.LowestDataPort))
	}
	if len(s.ServerData) > 0 {
		parts = append(parts, "server_data: "+strings.Join(s.ServerData, ", "))
	}
	if s.Policy != "" {
		parts = append(parts, "by "+s.Policy)
	}
	return strings.Join(parts, "; ")
}
