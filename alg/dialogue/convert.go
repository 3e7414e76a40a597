package dialogue

import (
	"ftpalg/alg/expect"
	"ftpalg/alg/wire"
)

// Between a client and a server of different address families each command
// that announces a data connection, or asks for one, becomes that of the other
// side's family, and each reply what the client has asked for (RFC 6384
// sections 5 to 7). The data is relayed.

// converts reports whether the two sides are of different address families.
func (d *Dialogue) converts() bool {
	return !d.observing && d.server.IsValid() && d.client.Is4() != d.server.Is4()
}

// asks judges a PASV or EPSV that the server is to answer.
func (d *Dialogue) asks(v wire.Verb) Verdict {
	verdict := d.forward(d.asking(v))
	switch {
	case !d.converts():
	case d.server.Is4():
		verdict.Line = []byte("PASV\r\n")
	default:
		verdict.Line = []byte("EPSV\r\n")
	}
	return verdict
}

// promisesEPSVAll judges EPSV ALL. A server that is to be asked for PASV must
// not hear of it.
func (d *Dialogue) promisesEPSVAll() Verdict {
	// In force from here on: what the client sends behind it, it sends
	// knowing it (RFC 2428 section 4). A refusal takes it back.
	d.epsvAll = true
	if !d.converts() {
		return d.forward(exchange{verb: wire.EPSV, epsvAll: true})
	}
	d.pending.push(exchange{answer: "200 EPSV ALL ok."})
	return Verdict{Action: Refuse, Answer: d.due()}
}

// convertActive has a client's announcement leave as the command of the server's
// family.
func (d *Dialogue) convertActive(a *Announcement) {
	if !d.converts() {
		return
	}
	parse := wire.ParseEPRT
	a.text = []byte("EPRT |2|::|1024|\r\n")
	if d.server.Is4() {
		parse = wire.ParsePORT
		a.text = []byte("PORT 0,0,0,0,4,0\r\n")
	}
	a.hostPort = mustParse(parse(a.text, wire.ParseCommand(a.text).Arg))
}

// convertPassive has a server's announcement leave as the reply to what the
// client has asked for, and says which mode that is.
func (d *Dialogue) convertPassive(v *Announcement, asked wire.Verb) {
	if !d.converts() {
		return
	}
	v.Mode, v.text = expect.PASV, []byte("227 Entering Passive Mode (0,0,0,0,4,0).\r\n")
	if asked == wire.EPSV {
		v.Mode, v.text = expect.EPSV, []byte("229 Entering Extended Passive Mode (|||1024|)\r\n")
	}
	v.hostPort = mustParse(parserOf(v.Mode)(v.text))
}

// mustParse returns the host-port of a line that is written here.
func mustParse(hp wire.HostPort, err error) wire.HostPort {
	if err != nil {
		panic("dialogue: " + err.Error())
	}
	return hp
}
