package dialogue

import "ftpalg/alg/wire"

// Transfer is one transfer as the dialogue tells of it.
type Transfer struct {
	// Verb is RETR, STOR, STOU, APPE, or LIST, NLST, MLSD.
	Verb wire.Verb
	// Name is what the command names, as the client wrote it and cut at
	// maxName bytes. It is empty if the command names nothing, or if too many
	// were in flight.
	Name string
	// User is the name that the client gave last, cut at maxUser bytes.
	User string
	// Form is the letter of the representation type: 'A', 'E', 'I' or 'L'
	// (RFC 959 section 3.1.1).
	Form byte
	// Number is that of the announcement in force when it began: the data
	// connection that it used, or 0.
	Number uint64
	// Complete says that the server called it done (RFC 959 section 4.2.2,
	// 226 and 250). It is set at the end.
	Complete bool
}

// Limits of what is remembered of transfers.
const (
	maxName = 1024
	maxUser = 64
	// maxNamed is the most commands in flight before names are no longer
	// remembered.
	maxNamed = 16
)

// defaultForm is the representation type of a session that has named none
// (RFC 959 section 3.1.1.1).
const defaultForm = 'A'

// Files reports whether the transfer is that of a file, not of a listing.
func (t *Transfer) Files() bool { return t.Verb == wire.RETR || t.Uploads() }

// Uploads reports whether the data goes to the server.
func (t *Transfer) Uploads() bool {
	return t.Verb == wire.STOR || t.Verb == wire.STOU || t.Verb == wire.APPE
}

// track returns the exchange that a command begins, with what has to be known
// of it when a transfer ends.
func (d *Dialogue) track(c wire.Command, line []byte) exchange {
	e := exchange{verb: c.Verb}
	arg := c.Arg.In(line)
	switch {
	case c.Verb == wire.USER:
		d.user = string(arg[:min(len(arg), maxUser)])
	case c.Verb == wire.TYPE && len(arg) > 0:
		e.form = arg[0] &^ 0x20 // to upper case
	case c.Verb.Transfers():
		e.transfer = &Transfer{Verb: c.Verb}
		if d.pending.len() < maxNamed {
			e.transfer.Name = string(arg[:min(len(arg), maxName)])
		}
	}
	return e
}

// begin notes the preliminary reply to e.
func (d *Dialogue) begin(e *exchange) Verdict {
	again := e.started
	e.started, e.repeated = true, again && e.transfer != nil
	if again || e.transfer == nil {
		return Verdict{}
	}
	d.describe(e.transfer)
	return Verdict{Begun: e.transfer}
}

// describe adds to a transfer what the session has settled by then.
func (d *Dialogue) describe(t *Transfer) { t.User, t.Form, t.Number = d.user, d.form, d.inForce }

// conclude notes the final reply to e. It returns the transfer that has ended
// with it, if one had begun: without a preliminary reply a positive one says
// that there was one.
func (d *Dialogue) conclude(e *exchange, code int) *Transfer {
	positive := code < 400
	switch {
	case e.verb == wire.TYPE && positive && e.form != 0:
		d.form = e.form
	case e.verb == wire.REIN && positive:
		d.user, d.form, d.loggedIn = "", defaultForm, false
	case logsIn(e.verb) && code/100 == 2:
		d.loggedIn = true
	}
	t := e.transfer
	if t == nil || !e.started && !positive {
		return nil
	}
	if !e.started {
		d.describe(t)
	}
	t.Complete = code == wire.Code226Closing || code == wire.Code250Done
	return t
}

// logsIn reports whether a positive completion of the command v means that the
// client is logged in (RFC 959 section 5.4).
func logsIn(v wire.Verb) bool { return v == wire.USER || v == wire.PASS || v == wire.ACCT }

// User returns the name that the client gave last, cut at 64 bytes.
func (d *Dialogue) User() string { return d.user }
