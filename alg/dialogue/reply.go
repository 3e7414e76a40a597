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
		return Verdict{Reason: unasked(code)}
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
	v := d.settle(e, code)
	v.Reason, v.Ended = unasked(code), ended
	return v
}

// forgetStale drops the exchanges before the i-th if they are stale.
func (d *Dialogue) forgetStale(i int, stale bool) {
	if stale {
		d.pending.drop(i)
	}
}

// unasked names a 227 or 229 that answers no PASV or EPSV: it passes, since
// servers use these codes as other messages too, and opens nothing.
func unasked(code int) Reason {
	if code == wire.Code227Passive || code == wire.Code229Extended {
		return Unasked
	}
	return NoReason
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
	case e.verb == wire.PORT || e.verb == wire.EPRT:
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
	mode, parse := expect.PASV, wire.Parse227
	if e.verb == wire.EPSV {
		mode, parse = expect.EPSV, wire.Parse229
	}
	// The server has given up its former listener in any case.
	d.inForce = e.number
	replaced := Drop{Below: e.number, By: Superseded}
	if d.group.faulty || !line.Ends {
		return d.spoil(Framing, "425 The server's address cannot be read safely.", replaced)
	}
	hp, err := parse(line.Bytes)
	if err != nil {
		return d.spoil(Syntax, "425 The server's address cannot be read.", replaced)
	}
	if hp.Port < lowestPort {
		return d.spoil(LowPort, "425 The server's port is below 1024.", replaced)
	}
	return Verdict{
		Action: Announce,
		Announcement: Announcement{
			Number: e.number, Mode: mode, Said: hp.Addr, hostPort: hp,
			// Whatever address the text has, private or wrong: the server's
			// is the one we reached it at.
			At: netip.AddrPortFrom(d.server, hp.Port),
		},
		Before: d.group.held,
		Drop:   replaced,
	}
}

// spoil puts an honest refusal in the place of the server's announcement.
func (d *Dialogue) spoil(why Reason, instead string, drop Drop) Verdict {
	return Verdict{Action: Refuse, Reason: why, Answer: append([]byte(instead), '\r', '\n'), Drop: drop}
}
