package dialogue

import (
	"cmp"
	"net/netip"

	"ftpalg/alg/expect"
	"ftpalg/alg/wire"
)

// Two things make a command that announces a data connection, or asks for one,
// another one towards the server, and the reply what the client has asked for.
// Between a client and a server of different address families it becomes that of
// the other side's family (RFC 6384 sections 5 to 7). And where the policy
// converts, the server is always asked for a passive data connection, or always
// for an active one. In both cases the data is relayed where the kernel could not
// forward it.

// EPSV says what is known of a server that may be asked for EPSV instead of PASV.
type EPSV string

// What is known: nothing, that it does know EPSV, or that it does not.
const (
	EPSVUntried EPSV = ""
	EPSVKnown   EPSV = "known"
	EPSVUnknown EPSV = "unknown"
)

// Assume says what is known of the server from other sessions. It comes before
// the first line.
func (d *Dialogue) Assume(e EPSV) { d.epsv = e }

// converts reports whether the two sides are of different address families.
func (d *Dialogue) converts() bool {
	return !d.observing && d.server.IsValid() && d.client.Is4() != d.server.Is4()
}

// converting reports whether the policy has the server's side of every data
// connection made in this way.
func (d *Dialogue) converting(c Convert) bool { return !d.observing && d.policy.Convert == c }

// asks judges a PASV or EPSV that the server is to answer.
func (d *Dialogue) asks(v wire.Verb) Verdict {
	if d.converting(ConvertActive) {
		return d.asksActive(v)
	}
	return d.asksPassive(exchange{asked: v, number: d.announced + 1})
}

// asksPassive has the server asked for a passive data connection in the place
// of e.asked.
func (d *Dialogue) asksPassive(e exchange) Verdict {
	e.verb = d.passiveVerb(e.asked)
	same := e.verb == e.asked
	if same {
		e.asked = ""
	}
	v := d.forward(e)
	if !same || d.converts() {
		v.Line = []byte(string(e.verb) + "\r\n")
	}
	return v
}

// passiveVerb returns the command that the server is to hear where the client
// has said v.
func (d *Dialogue) passiveVerb(v wire.Verb) wire.Verb {
	switch {
	case d.converting(ConvertPassive):
		if !d.server.Is4() || d.epsv != EPSVUnknown && len(d.policy.ServerData) == 0 {
			return wire.EPSV
		}
		return wire.PASV
	case !d.converts():
		return v
	case d.server.Is4():
		return wire.PASV
	}
	return wire.EPSV
}

// trying reports whether the latest command is an EPSV that the server may not
// know: until it has answered, the command may have to be another one, which no
// other may overtake.
func (d *Dialogue) trying() bool {
	n := d.pending.len()
	return n > 0 && d.mayNotKnow(d.pending.at(n-1))
}

func (d *Dialogue) mayNotKnow(e *exchange) bool {
	return e.verb == wire.EPSV && isPassive(e) && !e.spent && d.epsv == EPSVUntried && d.converting(ConvertPassive) && d.server.Is4()
}

// unknownToServer returns the EPSV to which a reply with this code says that the
// server does not know it, and its place among what is pending; else none.
func (d *Dialogue) unknownToServer(code int) int {
	i, _ := d.pending.answeredBy(code)
	if i == none || !d.mayNotKnow(d.pending.at(i)) || code/100 != 5 || code == 530 {
		return none
	}
	return i
}

// asksAgain asks the server for PASV in the place of the i-th command that is
// pending, which it does not know.
func (d *Dialogue) asksAgain(i int) Verdict {
	e := d.pending.at(i)
	if e.asked == "" {
		e.asked = wire.EPSV
	}
	if e.verb = wire.PASV; e.asked == wire.PASV {
		e.asked = ""
	}
	d.epsv = EPSVUnknown
	return Verdict{Action: Refuse, Ask: []byte("PASV\r\n"), Learned: d.epsv}
}

// learn notes that the server knows EPSV, if that is of interest.
func (d *Dialogue) learn(v *Verdict, code int) {
	if d.converting(ConvertPassive) && code == wire.Code229Extended && d.epsv == EPSVUntried {
		d.epsv = EPSVKnown
		v.Learned = d.epsv
	}
}

// promisesEPSVAll judges EPSV ALL. A server that may be asked for something else
// must not hear of it.
func (d *Dialogue) promisesEPSVAll() Verdict {
	// In force from here on: what the client sends behind it, it sends
	// knowing it (RFC 2428 section 4). A refusal takes it back.
	d.epsvAll = true
	if !d.converts() && (d.observing || d.policy.Convert == ConvertNothing) {
		return d.forward(exchange{verb: wire.EPSV, epsvAll: true})
	}
	d.pending.push(exchange{answer: "200 EPSV ALL ok."})
	return Verdict{Action: Refuse, Answer: d.due()}
}

// activeText returns a command of the server's family that announces where to
// connect.
func (d *Dialogue) activeText() (mode expect.Mode, text []byte, hp wire.HostPort) {
	mode, text, parse := expect.EPRT, []byte("EPRT |2|::|1024|\r\n"), wire.ParseEPRT
	if d.server.Is4() {
		mode, text, parse = expect.PORT, []byte("PORT 0,0,0,0,4,0\r\n"), wire.ParsePORT
	}
	return mode, text, mustParse(parse(text, wire.ParseCommand(text).Arg))
}

// convertActive has a client's announcement leave as the command of the server's
// family.
func (d *Dialogue) convertActive(a *Announcement) {
	if d.converts() {
		_, a.text, a.hostPort = d.activeText()
	}
}

// asksActive has the server hear a PORT or EPRT in the place of a PASV or EPSV:
// it shall connect to the gateway, which Promised tells what the client hears
// when the server has agreed.
func (d *Dialogue) asksActive(v wire.Verb) Verdict {
	a := &Announcement{Number: d.announced + 1, Mode: expect.PASV, Protected: d.protected}
	if v == wire.EPSV {
		a.Mode = expect.EPSV
	}
	a.ServerMode, a.text, a.hostPort = d.activeText()
	d.waiting++
	d.push(exchange{verb: wire.Verb(a.ServerMode.String()), asked: v, number: a.Number})
	return Verdict{Action: Announce, Announcement: a}
}

// Promised says to which host-port the client shall connect, once the server has
// agreed to the command that this announcement has become.
func (d *Dialogue) Promised(number uint64, at netip.AddrPort) {
	for i := range d.pending.len() {
		if e := d.pending.at(i); e.number == number {
			_, text, hp := passiveText(e.asked)
			e.told = string(hp.Append(nil, text, at))
			return
		}
	}
}

// convertPassive has a server's announcement leave as the reply to what the
// client has asked for, and says which mode that is.
func (d *Dialogue) convertPassive(v *Announcement, e exchange) {
	asked := cmp.Or(e.asked, e.verb)
	if asked == wire.PORT || asked == wire.EPRT {
		v.ServerMode, v.ServerAt = v.Mode, v.At
		v.Mode, v.Said, v.At = modeOf(asked), e.client.Addr(), e.client
		v.text = []byte("200 " + string(asked) + " command successful.\r\n")
		return
	}
	v.Mode, v.text, v.hostPort = passiveText(asked)
}

// passiveText returns a reply to PASV or EPSV.
func passiveText(asked wire.Verb) (mode expect.Mode, text []byte, hp wire.HostPort) {
	text = []byte("227 Entering Passive Mode (0,0,0,0,4,0).\r\n")
	if mode = modeOf(asked); mode == expect.EPSV {
		text = []byte("229 Entering Extended Passive Mode (|||1024|)\r\n")
	}
	return mode, text, mustParse(parserOf(mode)(text))
}

// modeOf returns the mode of a command that announces a data connection, or asks
// for one.
func modeOf(v wire.Verb) expect.Mode {
	switch v {
	case wire.PORT:
		return expect.PORT
	case wire.EPRT:
		return expect.EPRT
	case wire.EPSV:
		return expect.EPSV
	}
	return expect.PASV
}

// mustParse returns the host-port of a line that is written here.
func mustParse(hp wire.HostPort, err error) wire.HostPort {
	if err != nil {
		panic("dialogue: " + err.Error())
	}
	return hp
}
