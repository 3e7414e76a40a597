package dialogue

import (
	"bytes"
	"strconv"

	"ftpalg/alg/expect"
	"ftpalg/alg/wire"
)

// announcement judges the 227 or 229 that answers e.
func (d *Dialogue) announcement(e exchange, code int, line wire.Line) Verdict {
	mode := expect.PASV
	if code == wire.Code229Extended {
		mode = expect.EPSV
	}
	// The server has given up its former listener in any case.
	d.inForce = e.number
	v := Verdict{Action: Announce, Reason: e.refused, Drop: Drop{Below: e.number, By: Superseded}}
	text, before, hp, err := d.readable(mode, line)
	if err == nil {
		v.Announcement = d.passiveAnnouncement(e.number, mode, hp)
		v.Announcement.text = text
	}
	d.learn(&v, code)
	switch {
	case e.refused != NoReason:
		v.Action = Refuse
	case d.group.overlong || !line.Ends:
		return spoil(v, Framing, "425 The server's address cannot be read safely.")
	case err != nil:
		return spoil(v, Syntax, "425 The server's address cannot be read.")
	case hp.Port < d.policy.lowestPort():
		v.Setting = d.policy.lowPort(hp.Port)
		return spoil(v, LowPort, "425 The server's port is below "+strconv.Itoa(int(d.policy.lowestPort()))+".")
	case mode == expect.PASV && !d.client.Is4() && !d.converts():
		return spoil(v, Family, "425 The server's address is of the other family.")
	case d.converts() || e.asked != "":
		d.convertPassive(v.Announcement, e)
	default:
		v.Before = before
	}
	return v
}

// readable finds the host-port of an announcement in its last line, or else in
// the whole of a multi-line reply. Text is the line to be sent in its place,
// nil if that is the last line as it came; before is what of the first lines
// may go before it.
func (d *Dialogue) readable(mode expect.Mode, line wire.Line) (text, before []byte, hp wire.HostPort, err error) {
	last := line.Bytes
	if d.group.faulty {
		// Two parties could read it differently. The client reads only what
		// is written here, in one framing.
		text = cleanLine(last)
		last = text
	}
	hp, err = parserOf(mode)(last)
	if err != nil && len(d.group.held) > 0 {
		if joined, whole := d.joined(mode, line); whole == nil {
			text, hp = joined.PlainReply()
			return text, nil, hp, nil
		}
	}
	if err != nil {
		return nil, nil, hp, err
	}
	if d.showsAddress(last[codeLength:hp.Span.Start]) || d.showsAddress(last[hp.Span.End:]) {
		text, hp = hp.PlainReply()
		return text, nil, hp, nil
	}
	if !d.group.faulty && !d.showsAddress(d.group.held) {
		before = d.group.held
	}
	return text, before, hp, nil
}

// joined parses the lines of a multi-line announcement as one.
func (d *Dialogue) joined(mode expect.Mode, line wire.Line) (wire.HostPort, error) {
	text := append([]byte(nil), line.Bytes[:codeLength]...)
	for one := range bytes.Lines(append(bytes.Clone(d.group.held), line.Bytes...)) {
		one = bytes.TrimRight(one, "\r\n")
		if bytes.HasPrefix(one, line.Bytes[:codeLength]) {
			one = one[codeLength:]
		}
		text = append(append(text, ' '), bytes.TrimLeft(one, "- ")...)
	}
	return parserOf(mode)(cleanLine(text))
}

// cleanLine returns line without CR and NUL, ended by CRLF.
func cleanLine(line []byte) []byte {
	out := make([]byte, 0, len(line)+2)
	for _, c := range line {
		if c != '\r' && c != '\n' && c != 0 {
			out = append(out, c)
		}
	}
	return append(out, '\r', '\n')
}

// spoil puts an honest refusal in the place of the server's announcement.
func spoil(v Verdict, why Reason, instead string) Verdict {
	v.Action, v.Reason, v.Answer = Refuse, why, append([]byte(instead), '\r', '\n')
	return v
}
