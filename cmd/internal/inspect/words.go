package inspect

import (
	"fmt"
	"strings"
	"time"

	"ftpalg/alg/capture"
	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
	"ftpalg/cmd/internal/words"
)

// heading says who speaks with whom.
func heading(e *capture.Session) string {
	s := fmt.Sprintf("Session %d: client %s, server %s", e.Number, e.Client, e.Server)
	if e.User != "" {
		s += ", user " + e.User
	}
	s += fmt.Sprintf(", frames %d to %d", e.First, e.Last)
	if d := e.Ended.Sub(e.Begun); d > 0 {
		s += ", " + d.Round(time.Millisecond).String()
	}
	return s
}

// remarks says what limits the view of a session.
func remarks(e *capture.Session) (out []string) {
	if e.Midway {
		out = append(out, "The capture begins in the middle of this session.")
	}
	if e.OneSided {
		out = append(out, "Only one side of it is in the capture.")
	}
	if t := e.Twin; t != nil {
		out = append(out, fmt.Sprintf("A NAT is on the way: session %d is the same one, seen as client %s, server %s.", t.Number, t.Client, t.Server))
	}
	if e.Lost > 0 {
		out = append(out, fmt.Sprintf("Missing in the capture: %s of the dialogue; what was said there is not known.", count(e.Lost, "byte")))
	}
	if e.Snapped > 0 {
		out = append(out, fmt.Sprintf("Cut off by the snap length: %s of the dialogue; capture whole packets (tcpdump -s 0).", count(e.Snapped, "byte")))
	}
	if e.Unreadable > 0 {
		out = append(out, fmt.Sprintf("No host and port can be read in %s, the first in frame %d.", plural(e.Unreadable, "announcement"), e.UnreadableAt))
	}
	if e.Opaque != 0 {
		out = append(out, fmt.Sprintf("Encrypted from frame %d on (%s): what was announced behind it cannot be read, by this program or by any gateway.", e.Opaque, e.Secured))
	}
	if p := e.Protection; p != nil {
		out = append(out, "It is "+protection(p)+".")
	}
	return out
}

// describe tells what was announced and what became of it.
func describe(a *capture.Announcement, f fate) (out []string) {
	add := func(format string, values ...any) { out = append(out, fmt.Sprintf(format, values...)) }
	if a.Unseen {
		add("The %s that it answers is not in the capture.", a.Mode)
	}
	if a.Uncertain {
		add("It may be text of another reply: lines before it are missing in the capture, on both sides.")
	}
	if a.Repeats {
		add("The same host and port were announced before in this session.")
	}
	if s := reachWords(a); s != "" {
		add("%s", s)
	}
	if a.Reason != dialogue.NoReason {
		add("A gateway does not obey it: %s.", refusal(a.Reason))
	}
	if a.Reply >= 400 {
		add("The server refused it with %d.", a.Reply)
	}
	out = append(out, fateWords(a, f)...)
	if a.Result >= 400 {
		add("The server ended the transfer with %d.", a.Result)
	}
	return out
}

func announcerName(a *capture.Announcement) (announcer, peer string) {
	if a.Mode.Passive() {
		return "server", "client"
	}
	return "client", "server"
}

// reachWords says whether the announced address leads to the announcer; empty
// where it is its own.
func reachWords(a *capture.Announcement) string {
	announcer, peer := announcerName(a)
	own := a.Announcer()
	switch reachOf(a) {
	case privateAddress:
		return fmt.Sprintf("%s is a private address, which the %s cannot reach: it sees the %s as %s. Somebody translates addresses on the way and left this line alone.",
			a.Said.Addr(), peer, announcer, own)
	case behindNAT:
		return fmt.Sprintf("%s is the %s behind the NAT; the %s sees %s, and the NAT left this line alone.", a.Said.Addr(), announcer, peer, own)
	case nowhere:
		return fmt.Sprintf("%s is no host's address; the %s is %s.", a.Said.Addr(), announcer, own)
	case otherAddress:
		return fmt.Sprintf("%s is not the address of the %s here, which is %s: it is wrong, or was translated on the way.", a.Said.Addr(), announcer, own)
	}
	return ""
}

// refusal says why a gateway would not have obeyed a line.
func refusal(r dialogue.Reason) string {
	if r == dialogue.Unasked {
		return "no PASV or EPSV had asked for it"
	}
	return words.Reason(string(r))
}

// fateWords says what became of the data connection.
func fateWords(a *capture.Announcement, f fate) (out []string) {
	_, peer := announcerName(a)
	d, tried := a.Data()
	add := func(format string, values ...any) { out = append(out, fmt.Sprintf(format, values...)) }
	if tried && !d.Midway && (d.To != a.Said || d.From.Addr() != a.Peer()) {
		add("%s", detour(a, d))
	}
	switch f {
	case came:
		add("The data connection came (frames %d to %d): %s.", d.First, d.Last, traffic(a, d))
	case running:
		add("The data connection came (frame %d) and had not ended when the capture did: %s so far.", d.First, traffic(a, d))
	case wasCut:
		add("The data connection came (frame %d) and was cut off by %s in its middle: %s.", d.First, d.By, traffic(a, d))
	case dropped:
		add("The %s tried %s from frame %d on and got no answer: the packets are dropped on the way, or %s is not there.", peer, tries(d), d.First, d.To)
	case wasRefused:
		if d.State == capture.Unreachable {
			add("The %s tried in frame %d, and %s answered that it is %s.", peer, d.First, d.By, d.Why)
			break
		}
		add("The %s tried in frame %d and was refused by %s: nothing listens at %s, or a firewall rejects it.", peer, d.First, d.By, d.To)
	case neverCame:
		add("The %s never tried to connect: no packet to %s or to port %d of any host is in the capture.", peer, a.Said, a.Said.Port())
	case notNeeded:
		add("It was not used.")
	}
	return out
}

// detour says how the connection differs from what was announced.
func detour(a *capture.Announcement, d capture.Data) string {
	announcer, peer := announcerName(a)
	switch {
	case d.To.Addr() == a.Announcer() && d.To != a.Said:
		return fmt.Sprintf("The %s went to %s instead: it ignored the announced address, or a NAT translated it.", peer, d.To)
	case d.To != a.Said:
		return fmt.Sprintf("It went to %s instead of %s: a NAT on the way translates it.", d.To, a.Said)
	}
	return fmt.Sprintf("It came from %s, not from the %s %s of the control connection (announced by the %s).", d.From, peer, a.Peer(), announcer)
}

// traffic says how much went which way.
func traffic(a *capture.Announcement, d capture.Data) string {
	toClient, toServer := d.Received, d.Sent
	if !a.Mode.Passive() {
		toClient, toServer = d.Sent, d.Received
	}
	return fmt.Sprintf("%s to the client, %s to the server", count(toClient, "byte"), count(toServer, "byte"))
}

func tries(d capture.Data) string {
	switch d.SYNs {
	case 1:
		return "once"
	case 2:
		return "twice"
	}
	return fmt.Sprintf("%d times", d.SYNs)
}

// words says what the gateway would have told the other side, empty without a
// configuration.
func (g *gateway) words(a *capture.Announcement) string {
	t := g.answer(a)
	switch {
	case t == nil:
		return ""
	case t.Listener == "":
		return "ftpalg would have left it alone: " + t.Not + "."
	case t.Not != "":
		return fmt.Sprintf("ftpalg (%s) would not have sent it on: %s.", t.Listener, t.Not)
	}
	_, peer := announcerName(a)
	where := "its own address towards the " + peer
	if t.Address.IsValid() {
		where = t.Address.String()
	}
	port := fmt.Sprintf("port %d", t.First)
	if t.First != t.Last {
		port = fmt.Sprintf("a port of %d-%d", t.First, t.Last)
	}
	return fmt.Sprintf("ftpalg (%s) would have told the %s %s, %s.", t.Listener, peer, where, port)
}

// modes lists how often each mode was announced.
func modes(e *capture.Session) string {
	var n [expect.EPRT + 1]int
	for _, a := range e.Announcements {
		n[a.Mode]++
	}
	var out []string
	for m := expect.PASV; m <= expect.EPRT; m++ {
		if n[m] > 0 {
			out = append(out, fmt.Sprintf("%s %d", m, n[m]))
		}
	}
	return strings.Join(out, ", ")
}

// count returns a number with its noun.
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func plural(n int, noun string) string { return count(int64(n), noun) }

// protection says what is seen of TLS.
func protection(p *capture.Protection) string {
	text := p.Version + " with " + p.Cipher
	if p.Name != "" {
		text += ", for " + p.Name
	}
	if p.Resumed {
		text += ", resumed from an earlier connection"
	}
	return text
}
