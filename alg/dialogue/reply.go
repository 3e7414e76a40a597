package dialogue

import (
	"net/netip"

	"ftpalg/alg/expect"
	"ftpalg/alg/wire"
)

// Reply judges one line of the server, or one fragment of an over-long line.
func (d *Dialogue) Reply(line wire.Line) Verdict {
	v := d.reply(line)
	d.midLine = !line.Ends
	v.Answer = append(v.Answer, d.due()...)
	return v
}

func (d *Dialogue) reply(line wire.Line) Verdict {
	if !line.Begins {
		return d.fragment(line)
	}
	r := d.replies.Line(line.Text())
	if r.Stray {
		return Verdict{}
	}
	if r.First {
		d.group = replyGroup{held: d.group.held[:0]}
	}
	d.group.faulty = d.group.faulty || line.Fault != wire.NoFault
	if !r.Final {
		return d.unfinished(r.Code, line)
	}
	v := d.final(r.Code, line)
	d.group.swallow = v.Action == Refuse && !line.Ends
	return v
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

// unfinished judges a line of a multi-line reply that is not its last. Those
// of an announcement wait for its last line, since nothing but a reply of the
// same code may follow them.
func (d *Dialogue) unfinished(code int, line wire.Line) Verdict {
	i, _ := d.pending.answeredBy(code)
	if i == none || !announcedBy(d.pending.at(i), code) {
		return Verdict{}
	}
	if len(d.group.held)+len(line.Bytes) > maxHeld || !line.Ends {
		d.group.faulty = true
	} else {
		d.group.held = append(d.group.held, line.Bytes...)
	}
	d.group.swallow = !line.Ends
	return Verdict{Action: Refuse}
}

// final judges the last or only line of a reply.
func (d *Dialogue) final(code int, line wire.Line) Verdict {
	i, stale := d.pending.answeredBy(code)
	if i == none {
		return d.unasked(Verdict{}, code, line)
	}
	if code < 200 {
		v := d.begin(d.pending.at(i))
		d.forgetStale(i, stale)
		return v
	}
	e := d.pending.remove(i)
	d.forgetStale(i, stale)
	if announcedBy(&e, code) {
		return d.announcement(e, line)
	}
	ended := d.conclude(&e, code)
	v := d.unasked(d.settle(e, code), code, line)
	v.Ended = ended
	return v
}

// forgetStale drops the exchanges before the i-th if they are stale.
func (d *Dialogue) forgetStale(i int, stale bool) {
	if stale {
		d.pending.drop(i)
	}
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
		v.Announcement = d.heard(0, mode, hp)
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

// heard describes what a 227 or 229 announces. Whatever address the
// text has, private or wrong: the server's is the one we reached it at.
func (d *Dialogue) heard(number uint64, m expect.Mode, hp wire.HostPort) *Announcement {
	return &Announcement{
		Number: number, Mode: m, Said: hp.Addr, hostPort: hp,
		At: netip.AddrPortFrom(d.server, hp.Port),
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
			return Verdict{Drop: Drop{Below: e.number, By: Superseded}}
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

// announcement judges the 227 or 229 that e asked for.
func (d *Dialogue) announcement(e exchange, line wire.Line) Verdict {
	mode := expect.PASV
	if e.verb == wire.EPSV {
		mode = expect.EPSV
	}
	// The server has given up its former listener in any case.
	d.inForce = e.number
	v := Verdict{Action: Announce, Reason: e.refused, Drop: Drop{Below: e.number, By: Superseded}}
	hp, err := parserOf(mode)(line.Bytes)
	if err == nil {
		v.Announcement = d.heard(e.number, mode, hp)
	}
	switch {
	case e.refused != NoReason:
		v.Action = Refuse
	case d.group.faulty || !line.Ends:
		return spoil(v, Framing, "425 The server's address cannot be read safely.")
	case err != nil:
		return spoil(v, Syntax, "425 The server's address cannot be read.")
	case hp.Port < lowestPort:
		return spoil(v, LowPort, "425 The server's port is below 1024.")
	default:
		v.Before = d.group.held
	}
	return v
}

// spoil puts an honest refusal in the place of the server's announcement.
func spoil(v Verdict, why Reason, instead string) Verdict {
	v.Action, v.Reason, v.Answer = Refuse, why, append([]byte(instead), '\r', '\n')
	return v
}
