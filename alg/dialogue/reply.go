package dialogue

import (
	"bytes"
	"net/netip"

	"ftpalg/alg/expect"
	"ftpalg/alg/wire"
)

// Reply judges one line of the server, or one fragment of an over-long line.
func (d *Dialogue) Reply(line wire.Line) Verdict {
	v := d.reply(line)
	d.midLine = !line.Ends
	v.Answer = append(v.Answer, d.due()...)
	v.SwitchTLS = d.takeSwitch()
	return v
}

func (d *Dialogue) reply(line wire.Line) Verdict {
	if !line.Begins {
		return d.fragment(line)
	}
	r := d.replies.Line(line.Text())
	if r.Stray {
		return d.stray(line)
	}
	if r.First {
		d.group = replyGroup{held: d.group.held[:0]}
	}
	d.group.faulty = d.group.faulty || line.Fault != wire.NoFault
	masked := d.masked(r.Code)
	switch {
	case r.Final:
	case masked != "":
		d.group.swallow = !line.Ends
		return Verdict{Action: Refuse}
	default:
		return d.unfinished(r.Code, line)
	}
	v := d.final(r.Code, line)
	if masked != "" && v.Action == Pass {
		v.Action, v.Answer = Refuse, []byte(masked+"\r\n")
	}
	d.group.swallow = v.Action == Refuse && !line.Ends
	if v.Action == Pass && v.Before == nil {
		v.Before = d.group.held
	}
	return v
}

// stray judges a line that belongs to no reply. While a PASV or EPSV is
// pending none passes that could show the server's inside address.
func (d *Dialogue) stray(line wire.Line) Verdict {
	if d.observing || d.pending.oldestPassive() == none || !d.showsAddress(line.Bytes) {
		return Verdict{}
	}
	d.group.swallow = !line.Ends
	return Verdict{Action: Refuse, Reason: Syntax}
}

// fragment judges the rest of an over-long line: it shares the first
// fragment's fate.
func (d *Dialogue) fragment(line wire.Line) Verdict {
	swallow := d.group.swallow
	d.group.swallow = swallow && !line.Ends
	if swallow {
		return Verdict{Action: Refuse}
	}
	return Verdict{}
}

// agreesToActive reports whether a reply with this code is a positive one to
// the PORT or EPRT that a client's PASV or EPSV has become: the client hears
// something else.
func (d *Dialogue) agreesToActive(code int) bool {
	i, _ := d.pending.answeredBy(code)
	return i != none && d.pending.at(i).told != "" && code/100 == 2
}

// unfinished judges a line of a multi-line reply that is not its last. Those
// of a positive reply to PASV or EPSV wait for its last line, since only the
// whole reply says what the client may see of it.
func (d *Dialogue) unfinished(code int, line wire.Line) Verdict {
	d.group.continued = true
	if d.ofFEAT(code) && serversOwn(line.Bytes) || d.unknownToServer(code) != none || d.agreesToActive(code) {
		d.group.swallow = !line.Ends
		return Verdict{Action: Refuse}
	}
	if !d.answersPassive(code) {
		return Verdict{}
	}
	if len(d.group.held)+len(line.Bytes) > maxHeld || !line.Ends {
		d.group.overlong = true
	} else {
		d.group.held = append(d.group.held, line.Bytes...)
	}
	d.group.swallow = !line.Ends
	return Verdict{Action: Refuse}
}

// answersPassive reports whether a reply with this code is a positive one to
// PASV or EPSV.
func (d *Dialogue) answersPassive(code int) bool {
	if announces(code) && d.pending.oldestPassive() != none {
		return true
	}
	i, _ := d.pending.answeredBy(code)
	return i != none && positiveToPassive(d.pending.at(i), code)
}

// positiveToPassive reports whether e is a PASV, an EPSV or an EPSV ALL, and
// code that of a positive completion (RFC 959 section 4.2.1).
func positiveToPassive(e *exchange, code int) bool {
	return (e.verb == wire.PASV || e.verb == wire.EPSV) && code/100 == 2
}

// final judges the last or only line of a reply.
func (d *Dialogue) final(code int, line wire.Line) Verdict {
	if announces(code) {
		if v, ok := d.passiveReply(code, line); ok {
			return v
		}
	}
	if i := d.unknownToServer(code); i != none {
		return d.asksAgain(i)
	}
	i, stale := d.pending.answeredBy(code)
	if i == none {
		return d.unasked(Verdict{}, code, line)
	}
	e := d.pending.at(i)
	switch {
	case code < 200:
		v := d.begin(e)
		v.Ended = d.forgetStale(i, stale)
		return v
	case isPassive(e) && !refusesPassive(code):
		e.spent = true
		v := d.withoutAddress(Verdict{}, e, code, line)
		v.Ended = d.forgetStale(i, stale)
		return v
	}
	done := d.pending.remove(i)
	ended := d.forgetStale(i, stale)
	drop := Drop{}
	if ended != nil {
		drop = Drop{Below: d.inForce + 1, By: Used} // as the transfer's own end would have it
	}
	if t := d.conclude(&done, code); t != nil {
		ended = t
	}
	v := d.unasked(d.settle(done, code), code, line)
	if v.Drop == (Drop{}) {
		v.Drop = drop
	}
	v = d.withoutAddress(v, &done, code, line)
	v = d.withFeatures(v, done.verb, code)
	v.Ended = ended
	v.LoginFailed = done.verb == wire.PASS && (code == 530 || code == 430)
	return v
}

// passiveReply judges a 227 or 229 if a PASV or EPSV may have asked for it,
// whatever stands before that in the queue: this server has skipped it.
func (d *Dialogue) passiveReply(code int, line wire.Line) (v Verdict, ok bool) {
	i := d.pending.oldestPassive()
	if i == none {
		return v, false
	}
	e := *d.pending.at(i)
	again := e.spent && e.number == d.inForce
	ended := d.forgetStale(d.takePassive(i))
	v = d.announcement(e, code, line)
	if v.Ended = ended; ended != nil {
		v.Drop.By = Used
	}
	if again {
		v.Drop.Only = e.number
	}
	return v, true
}

// takePassive takes the PASV or EPSV at i out of the queue, or spends it, so
// that as many replies are expected as the server still owes: when it has
// answered an earlier command with this 227, the right one is yet to come.
// It returns what forgetStale must be told.
func (d *Dialogue) takePassive(i int) (before int, stale bool) {
	e, current := d.pending.at(i), d.pending.current()
	switch {
	case e.spent:
		if current < d.pending.len() && isPassive(d.pending.at(current)) {
			d.pending.at(current).spent = true
		}
		d.pending.remove(i)
	case current == i:
		d.pending.remove(i)
	default:
		e.spent = true
	}
	return i, true
}

// forgetStale drops the exchanges before the i-th that the server was to
// answer if they are stale; the gateway's own answers stay. It returns the
// transfer that ends with that, if one had begun.
func (d *Dialogue) forgetStale(i int, stale bool) (ended *Transfer) {
	if !stale {
		return nil
	}
	for j := i - 1; j >= 0; j-- {
		if d.pending.at(j).own() {
			continue
		}
		e := d.pending.remove(j)
		if (e.verb == wire.PORT || e.verb == wire.EPRT) && e.number != 0 {
			d.waiting--
		}
		if e.transfer != nil && e.started {
			ended = e.transfer
		}
	}
	return ended
}

// withoutAddress refuses a positive reply to PASV or EPSV that announces
// nothing and could show the server's inside address.
func (d *Dialogue) withoutAddress(v Verdict, e *exchange, code int, line wire.Line) Verdict {
	if d.observing || !positiveToPassive(e, code) {
		return v
	}
	if !d.group.overlong && line.Ends && !d.showsAddress(d.group.held) && !d.showsAddress(line.Text()[codeLength:]) {
		return v
	}
	if e.epsvAll {
		d.epsvAll = false // the client is told that it failed
	}
	return spoil(v, Syntax, "425 The server's address cannot be read.")
}

// codeLength is the number of digits of a reply code.
const codeLength = 3

// showsAddress reports whether text could show the server's own address.
func (d *Dialogue) showsAddress(text []byte) bool {
	return wire.HoldsAddress(text) || bytes.Contains(text, []byte(d.server.String()))
}

// unasked adds to a verdict that the line is a 227 or 229 which answers no
// PASV or EPSV, if it is: it passes, since servers use these codes as other
// messages too, and opens nothing.
func (d *Dialogue) unasked(v Verdict, code int, line wire.Line) Verdict {
	mode := expect.PASV
	switch code {
	case wire.Code227Passive:
	case wire.Code229Extended:
		mode = expect.EPSV
	default:
		return v
	}
	v.Reason = Unasked
	if hp, err := parserOf(mode)(line.Bytes); err == nil {
		v.Announcement = d.passiveAnnouncement(0, mode, hp)
	}
	return v
}

// parserOf returns the parser of the replies that announce in this mode.
func parserOf(m expect.Mode) func([]byte) (wire.HostPort, error) {
	if m == expect.EPSV {
		return wire.Parse229
	}
	return wire.Parse227
}

// passiveAnnouncement describes what a 227 or 229 announces. Whatever address the
// text has, private or wrong: the server's is the one we reached it at, unless
// the policy names the address as that of a member which answers for itself.
func (d *Dialogue) passiveAnnouncement(number uint64, m expect.Mode, hp wire.HostPort) *Announcement {
	return &Announcement{
		Number: number, Mode: m, Said: hp.Addr, hostPort: hp,
		At: netip.AddrPortFrom(d.policy.dataHost(hp.Addr, d.server), hp.Port), Protected: d.protected,
	}
}

// settle draws the consequences of a command's final reply.
func (d *Dialogue) settle(e exchange, code int) Verdict {
	positive := code < 400
	switch {
	case e.verb == greeting:
		if !positive {
			d.pending.push(e)
		}
		d.greeted = positive
	case e.verb == wire.AUTH:
		d.securing = false
		if positive {
			d.opaque = true
			return Verdict{Opaque: true, Drop: d.everything()}
		}
	case (e.verb == wire.PORT || e.verb == wire.EPRT) && e.number != 0:
		d.waiting--
		if positive {
			d.inForce = e.number
			v := Verdict{Drop: Drop{Below: e.number, By: Superseded}}
			if e.told != "" {
				v.Action, v.Answer = Refuse, []byte(e.told)
			}
			return v
		}
		return Verdict{Drop: Drop{Only: e.number}}
	case e.verb == wire.EPSV && e.epsvAll && !positive:
		d.epsvAll = false
	case e.verb == wire.REIN && positive:
		d.epsvAll = false
		return Verdict{Drop: Drop{Below: d.inForce + 1}}
	case e.verb.Transfers() && (positive || e.started), e.verb == wire.ABOR && positive:
		// The server closes the data connection after a transfer, whatever
		// came of it, and after ABOR (RFC 959 section 3.2).
		drop := Drop{Below: d.inForce + 1}
		if e.started {
			drop.By = Used
		}
		return Verdict{Drop: drop}
	}
	return Verdict{}
}

// everything ends all announcements made so far.
func (d *Dialogue) everything() Drop { return Drop{Below: d.announced + 1} }
