package dialogue

import (
	"bytes"
	"net/netip"

	"ftpalg/alg/wire"
)

// Snapshot is the state of a Dialogue between two lines: all but its policy.
// What the peers have said stands in byte slices, for it need not be UTF-8.
type Snapshot struct {
	Client  netip.Addr          `json:"client"`
	Server  netip.Addr          `json:"server"`
	Pending []ExchangeSnapshot  `json:"pending,omitempty"`
	Replies wire.ReaderSnapshot `json:"replies"`

	Greeted  bool `json:"greeted,omitempty"`
	Spoken   bool `json:"spoken,omitempty"`
	Securing bool `json:"securing,omitempty"`
	EPSVAll  bool `json:"epsv_all,omitempty"`
	Opaque   bool `json:"opaque,omitempty"`
	EPSV     EPSV `json:"epsv,omitempty"`

	Starting  bool `json:"starting,omitempty"`
	Secure    bool `json:"secure,omitempty"`
	Sized     bool `json:"sized,omitempty"`
	Protected bool `json:"protected,omitempty"`

	Announced uint64 `json:"announced,omitempty"`
	InForce   uint64 `json:"in_force,omitempty"`
	Waiting   int    `json:"waiting,omitempty"`

	LoggedIn bool   `json:"logged_in,omitempty"`
	User     []byte `json:"user,omitempty"`
	Form     byte   `json:"form"`

	Faulty    bool   `json:"faulty,omitempty"`
	Held      []byte `json:"held,omitempty"`
	Overlong  bool   `json:"overlong,omitempty"`
	Continued bool   `json:"continued,omitempty"`
	Swallow   bool   `json:"swallow,omitempty"`
	MidLine   bool   `json:"mid_line,omitempty"`
}

// ExchangeSnapshot is one command whose final reply has not come.
type ExchangeSnapshot struct {
	Verb     []byte            `json:"verb"`
	Asked    []byte            `json:"asked,omitempty"`
	Client   netip.AddrPort    `json:"client,omitzero"`
	Told     string            `json:"told,omitempty"`
	Number   uint64            `json:"number,omitempty"`
	Started  bool              `json:"started,omitempty"`
	EPSVAll  bool              `json:"epsv_all,omitempty"`
	Form     byte              `json:"form,omitempty"`
	Transfer *TransferSnapshot `json:"transfer,omitempty"`
	Refused  Reason            `json:"refused,omitempty"`
	Doubtful bool              `json:"doubtful,omitempty"`
	Repeated bool              `json:"repeated,omitempty"`
	Spent    bool              `json:"spent,omitempty"`
	Answer   string            `json:"answer,omitempty"`
	Secures  bool              `json:"secures,omitempty"`
}

// TransferSnapshot is a Transfer that has not ended.
type TransferSnapshot struct {
	Verb     []byte `json:"verb"`
	Name     []byte `json:"name,omitempty"`
	User     []byte `json:"user,omitempty"`
	Form     byte   `json:"form,omitempty"`
	Number   uint64 `json:"number,omitempty"`
	Complete bool   `json:"complete,omitempty"`
}

// Snapshot returns the dialogue's state, from which Restore goes on.
func (d *Dialogue) Snapshot() Snapshot {
	s := Snapshot{
		Client: d.client, Server: d.server, Replies: d.replies.Snapshot(),
		Greeted: d.greeted, Spoken: d.spoken, Securing: d.securing, EPSVAll: d.epsvAll, Opaque: d.opaque, EPSV: d.epsv,
		Starting: d.switching, Secure: d.secure, Sized: d.sized, Protected: d.protected,
		Announced: d.announced, InForce: d.inForce, Waiting: d.waiting,
		LoggedIn: d.loggedIn, User: []byte(d.user), Form: d.form,
		Faulty: d.group.faulty, Held: bytes.Clone(d.group.held), Overlong: d.group.overlong, Continued: d.group.continued, Swallow: d.group.swallow,
		MidLine: d.midLine,
	}
	for i := range d.pending.len() {
		s.Pending = append(s.Pending, d.pending.at(i).snapshot())
	}
	return s
}

func (e *exchange) snapshot() ExchangeSnapshot {
	s := ExchangeSnapshot{
		Verb: []byte(e.verb), Asked: []byte(e.asked), Client: e.client, Told: e.told, Number: e.number, Started: e.started, EPSVAll: e.epsvAll, Form: e.form,
		Refused: e.refused, Doubtful: e.doubtful, Repeated: e.repeated, Spent: e.spent, Answer: e.answer, Secures: e.switches,
	}
	if e.transfer != nil {
		s.Transfer = new(e.transfer.Snapshot())
	}
	return s
}

// Snapshot returns the transfer as it can be written down.
func (t *Transfer) Snapshot() TransferSnapshot {
	return TransferSnapshot{
		Verb: []byte(t.Verb), Name: []byte(t.Name), User: []byte(t.User), Form: t.Form, Number: t.Number, Complete: t.Complete,
	}
}

// Restore returns the transfer that was written down.
func (s TransferSnapshot) Restore() *Transfer {
	return &Transfer{
		Verb: wire.Verb(s.Verb), Name: string(s.Name), User: string(s.User), Form: s.Form, Number: s.Number, Complete: s.Complete,
	}
}

// Restore returns a dialogue that goes on, under this policy, where the one
// ended whose state s is.
func Restore(policy Policy, s Snapshot) *Dialogue {
	d := &Dialogue{
		policy: policy, client: s.Client, server: s.Server,
		greeted: s.Greeted, spoken: s.Spoken, securing: s.Securing, epsvAll: s.EPSVAll, opaque: s.Opaque, epsv: s.EPSV,
		switching: s.Starting, secure: s.Secure, sized: s.Sized, protected: s.Protected,
		announced: s.Announced, inForce: s.InForce, waiting: s.Waiting,
		loggedIn: s.LoggedIn, user: string(s.User), form: s.Form,
		group:   replyGroup{faulty: s.Faulty, held: bytes.Clone(s.Held), overlong: s.Overlong, continued: s.Continued, swallow: s.Swallow},
		midLine: s.MidLine,
	}
	d.replies.Restore(s.Replies)
	for _, e := range s.Pending {
		d.pending.items = append(d.pending.items, e.restore())
	}
	return d
}

func (s ExchangeSnapshot) restore() exchange {
	e := exchange{
		verb: wire.Verb(s.Verb), asked: wire.Verb(s.Asked), client: s.Client, told: s.Told, number: s.Number, started: s.Started, epsvAll: s.EPSVAll, form: s.Form,
		refused: s.Refused, doubtful: s.Doubtful, repeated: s.Repeated, spent: s.Spent, answer: s.Answer, switches: s.Secures,
	}
	if s.Transfer != nil {
		e.transfer = s.Transfer.Restore()
	}
	return e
}

// Begun returns the latest transfer that has begun and not ended, or nil.
func (d *Dialogue) Begun() *Transfer {
	for i := d.pending.len() - 1; i >= 0; i-- {
		if e := d.pending.at(i); e.transfer != nil && e.started {
			return e.transfer
		}
	}
	return nil
}
