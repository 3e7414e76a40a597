package dialogue

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"ftpalg/alg/expect"
	"ftpalg/alg/wire"
)

// Command judges one line of the client. The caller has asked Waiting first.
func (d *Dialogue) Command(line wire.Line) Verdict {
	c := wire.ParseCommand(line.Bytes)
	v := d.command(line, c)
	v.Verb, v.Secret, v.SwitchTLS = c.Verb, secret(line.Bytes, c), d.takeSwitch()
	return v
}

// secret returns where a password stands in a command, or what could show one.
func secret(line []byte, c wire.Command) wire.Span {
	switch c.Verb {
	case wire.PASS, wire.ACCT, wire.ADAT, wire.MIC, wire.CONF, wire.ENC:
		return c.Arg
	case wire.SITE:
		return siteSecret(line, c.Arg)
	}
	return wire.Span{}
}

// siteSecret returns what stands behind a subcommand of SITE that changes
// passwords. What servers understand there is their own affair; PSWD, CPWD,
// PASSWD, CHPASS and GPASS are common.
func siteSecret(line []byte, arg wire.Span) wire.Span {
	const blanks = " \t"
	text := bytes.TrimLeft(arg.In(line), blanks)
	n := bytes.IndexAny(text, blanks)
	if n < 0 {
		return wire.Span{}
	}
	name := string(bytes.ToUpper(text[:n]))
	if name != "PSWD" && name != "CPWD" && !strings.Contains(name, "PASS") {
		return wire.Span{}
	}
	return wire.Span{Start: arg.End - len(text) + n + 1, End: arg.End}
}

func (d *Dialogue) command(line wire.Line, c wire.Command) Verdict {
	first := !d.spoken
	d.spoken = true
	switch {
	case first && foreignProtocol(c.Name.In(line.Bytes)):
		return Verdict{Action: Close, Reason: NotFTP, Answer: []byte("500 This is FTP.\r\n")}
	case line.Fault != wire.NoFault:
		return d.refuseFault(c.Verb, line.Fault)
	case len(line.Text()) == 0:
		// Some servers answer an empty line and others do not; whoever passed
		// it on could no longer tell which reply is whose.
		return Verdict{Action: Refuse}
	case ambiguous(line.Bytes, c):
		return d.refuse(exchange{verb: c.Verb}, Framing, "500 Telnet command inside of a command line.")
	}
	if setting, reply := d.policy.forbids(line.Bytes, c); setting != "" {
		v := d.refuse(exchange{verb: c.Verb}, NotAllowed, reply)
		v.Setting = setting
		return v
	}
	if v, ok := d.security(line.Bytes, c); ok {
		return v
	}
	switch c.Verb {
	case wire.PORT, wire.EPRT:
		return d.active(line.Bytes, c)
	case wire.PASV, wire.EPSV:
		return d.passive(line.Bytes, c)
	case wire.LPRT, wire.LPSV:
		return d.refuse(exchange{verb: c.Verb}, NotAllowed, "502 Command not implemented; use EPRT or EPSV.")
	case wire.AUTH:
		return d.auth()
	}
	return d.forward(d.track(c, line.Bytes))
}

// ambiguous reports whether a telnet command (RFC 854) stands where it would
// matter: some servers take them out, others do not, and would read two
// different commands. In a path the byte is a letter of many a charset.
func ambiguous(line []byte, c wire.Command) bool {
	if bytes.IndexByte(c.Name.In(line), iac) >= 0 {
		return true
	}
	switch c.Verb {
	case wire.PORT, wire.EPRT, wire.LPRT, wire.PASV, wire.EPSV, wire.LPSV, wire.AUTH:
		return c.IAC
	}
	return false
}

// iac is the telnet escape (RFC 854).
const iac = 0xFF

func (d *Dialogue) forward(e exchange) Verdict {
	d.push(e)
	return Verdict{}
}

// push has e await its reply.
func (d *Dialogue) push(e exchange) {
	d.announced = max(d.announced, e.number)
	d.pending.push(e)
}

// refuse answers in the server's place, when the answer's turn has come. An
// observed line has reached the server: e is what awaits its reply then.
func (d *Dialogue) refuse(e exchange, why Reason, answer string) Verdict {
	v := Verdict{Action: Refuse, Reason: why}
	if d.observing {
		e.refused = why
		d.push(e)
		return v
	}
	d.pending.push(exchange{answer: answer})
	v.Answer = d.due()
	return v
}

// due takes the gateway's own answers off the head of the queue, unless one
// would fall into a reply of the server.
func (d *Dialogue) due() []byte {
	if d.MidReply() {
		return nil
	}
	var out []byte
	for i := d.pending.current(); i < d.pending.len() && d.pending.at(i).own(); i = d.pending.current() {
		e := d.pending.remove(i)
		d.switching = d.switching || e.switches
		out = append(out, e.answer...)
		out = append(out, '\r', '\n')
	}
	return out
}

func (d *Dialogue) refuseFault(v wire.Verb, f wire.Fault) Verdict {
	if f == wire.TooLong {
		return d.refuse(exchange{verb: v}, TooLong, "500 Command line too long.")
	}
	return d.refuse(exchange{verb: v}, Framing, "500 Command line with a "+f.String()+" inside.")
}

// active judges PORT and EPRT: where the client waits for the server.
func (d *Dialogue) active(line []byte, c wire.Command) Verdict {
	mode, parse := expect.PORT, wire.ParsePORT
	if c.Verb == wire.EPRT {
		mode, parse = expect.EPRT, wire.ParseEPRT
	}
	hp, err := parse(line, c.Arg)
	why, answer := d.judgeActive(c, hp, err)
	if why != NoReason && !d.observing {
		v := d.refuse(exchange{}, why, answer)
		if why == LowPort {
			v.Setting = d.policy.lowPort(hp.Port)
		}
		return v
	}
	if err != nil {
		return d.refuse(exchange{verb: c.Verb}, why, answer)
	}
	if d.converting(ConvertPassive) {
		return d.asksPassive(exchange{asked: c.Verb, client: netip.AddrPortFrom(hp.Addr, hp.Port), number: d.announced + 1})
	}
	d.waiting++
	e := exchange{verb: c.Verb, number: d.announced + 1, refused: why}
	d.push(e)
	v := Verdict{Action: Announce, Reason: why, Announcement: &Announcement{
		Number: e.number, Mode: mode, Said: hp.Addr, At: netip.AddrPortFrom(hp.Addr, hp.Port), Protected: d.protected, hostPort: hp,
	}}
	d.convertActive(v.Announcement)
	if why != NoReason {
		v.Action = Refuse
	}
	return v
}

// judgeActive says why a PORT or EPRT is refused, and with which reply. Err is
// what its parser found.
func (d *Dialogue) judgeActive(c wire.Command, hp wire.HostPort, err error) (why Reason, answer string) {
	switch {
	case c.Telnet > 0:
		return Framing, "500 Telnet command before " + string(c.Verb) + "."
	case d.epsvAll:
		return Sequence, sequenceReply(c.Verb)
	case wire.IsFamily(err) || err == nil && hp.Addr.Is4() != d.client.Is4():
		return Family, "522 Network protocol not supported, use (" + d.families() + ")."
	case err != nil && !d.loggedIn:
		// Servers say so first, whatever the command is (RFC 959 section 5.4).
		return Syntax, "530 Please log in with USER and PASS."
	case err != nil:
		return Syntax, "501 " + string(c.Verb) + " cannot be read: " + err.Error() + "."
	case hp.Port < d.policy.lowestPort():
		return LowPort, "504 " + string(c.Verb) + " to a port below " + strconv.Itoa(int(d.policy.lowestPort())) + " is refused."
	case hp.Addr != d.client && !d.thirdPartyAllowed(hp.Addr):
		return ThirdParty, "501 " + string(c.Verb) + " to another host is refused."
	}
	return NoReason, ""
}

func (d *Dialogue) thirdPartyAllowed(host netip.Addr) bool {
	return d.policy.ThirdParty && !host.IsUnspecified() && !host.IsLoopback() && !host.IsMulticast() &&
		host != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// families lists, for a 522 reply, the families that this control connection
// can carry (RFC 2428 section 2).
func (d *Dialogue) families() string {
	if d.client.Is4() {
		return "1"
	}
	return "2"
}

// carries reports whether this control connection can carry the family that an
// EPSV asks for; none is its own (RFC 2428 section 3).
func (d *Dialogue) carries(arg wire.EPSVArg) bool {
	own := wire.EPSVIPv6
	if d.client.Is4() {
		own = wire.EPSVIPv4
	}
	return arg == wire.EPSVNone || arg == own
}

// Failed takes back the client's announcement that a verdict has just made:
// the pinhole could not be opened, and the client gets answer, a whole reply
// without its line end, instead of the server's.
func (d *Dialogue) Failed(number uint64, answer string) Verdict {
	for i := range d.pending.len() {
		if e := d.pending.at(i); e.number == number {
			*e = exchange{answer: answer}
			d.waiting--
			break
		}
	}
	return Verdict{Action: Refuse, Answer: d.due()}
}

// passive judges PASV and EPSV, whose announcement will be the reply.
func (d *Dialogue) passive(line []byte, c wire.Command) Verdict {
	if c.Verb == wire.PASV {
		if d.epsvAll {
			return d.refuse(d.asking(c.Verb), Sequence, sequenceReply(c.Verb))
		}
		if !d.client.Is4() {
			return d.refuse(d.asking(c.Verb), Family, "522 PASV cannot carry an IPv6 address, use EPSV.")
		}
		return d.asks(c.Verb)
	}
	arg := wire.ParseEPSV(line, c.Arg)
	switch {
	case arg == wire.EPSVAll:
		return d.promisesEPSVAll()
	case (d.converts() || d.converting(ConvertPassive) || d.converting(ConvertActive)) && !d.carries(arg): // else the server answers it
		return d.refuse(d.asking(c.Verb), Family, "522 Network protocol not supported, use ("+d.families()+").")
	}
	return d.asks(c.Verb)
}

// asking returns the exchange of a command whose reply shall announce a data
// connection.
func (d *Dialogue) asking(v wire.Verb) exchange {
	return exchange{verb: v, number: d.announced + 1}
}

func sequenceReply(v wire.Verb) string {
	return "503 " + string(v) + " is refused after EPSV ALL."
}

func (d *Dialogue) auth() Verdict {
	switch d.policy.TLS {
	case RefuseTLS:
		return d.refuse(exchange{verb: wire.AUTH}, NotAllowed, "534 Encryption is not allowed here.")
	case HideTLS:
		return d.refuse(exchange{verb: wire.AUTH}, NotAllowed, "502 Command not implemented.")
	}
	d.securing = true
	return d.forward(exchange{verb: wire.AUTH})
}

// foreignProtocol reports whether the session's first word is that of another
// protocol: a browser or a mailer that was made to speak to us must not get a
// data port opened by what it quotes (NAT slipstreaming, ALPACA).
func foreignProtocol(word []byte) bool {
	switch string(word) {
	case "GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PRI",
		"EHLO", "HELO", "LHLO", "INVITE", "REGISTER", "RTSP":
		return true
	}
	return len(word) > 0 && word[0] == tlsHandshake || bytes.HasPrefix(word, []byte("SSH-"))
}

// tlsHandshake is the first byte of a TLS record that begins a handshake
// (RFC 8446 section 5.1).
const tlsHandshake = 0x16
