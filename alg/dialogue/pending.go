package dialogue

import (
	"net/netip"

	"ftpalg/alg/wire"
)

// exchange is one command whose final reply has not come.
type exchange struct {
	verb wire.Verb
	// asked is what the client has said where the server is asked for something
	// else; client is where the client waits if that was PORT or EPRT.
	asked  wire.Verb
	client netip.AddrPort
	// told is what the client is to be told when the server has agreed; empty for
	// the server's own reply.
	told string
	// number is that of the announcement which this command makes, or asks
	// the server for: announcements replace each other in the order of their
	// commands.
	number uint64
	// started says that a preliminary reply (1xx) has come.
	started bool
	// epsvAll marks EPSV ALL, whose reply is no announcement.
	epsvAll bool
	// form is the letter that a TYPE asks for.
	form byte
	// transfer is what a command for one asks for, nil for other commands.
	transfer *Transfer
	// refused says why a gateway would have refused the command that was
	// observed.
	refused Reason
	// doubtful says that the reply may have been lost.
	doubtful bool
	// repeated says that a transfer has had a second preliminary reply, with
	// which some servers end it (pure-ftpd, when the client closes the data
	// connection).
	repeated bool
	// spent says that no more reply is expected: a PASV or EPSV whose reply
	// had another command's code, or a repeated transfer whose client has
	// gone on. Only a 227 or 229 may still answer a spent PASV or EPSV.
	spent bool
	// answer is the gateway's own reply; the server never saw the command.
	answer string
	// switches says that TLS begins behind that answer, or ends.
	switches bool
}

// greeting is the verb of the exchange that opening the connection begins
// (RFC 959 section 5.4, "Connection Establishment").
const greeting wire.Verb = "(greeting)"

// own reports whether the gateway itself answers this exchange.
func (e *exchange) own() bool { return e.answer != "" }

// queue holds the exchanges in the order of their commands. It reuses its
// array, so a session that never pipelines allocates once.
type queue struct {
	items []exchange
	head  int
}

// usualPending is the room that an empty queue keeps, in exchanges.
const usualPending = 16

func (q *queue) len() int           { return len(q.items) - q.head }
func (q *queue) at(i int) *exchange { return &q.items[q.head+i] }

func (q *queue) push(e exchange) {
	if q.len() == 1 && q.at(0).doubtful {
		q.remove(0) // the client has gone on, so it had its answer
	}
	if !sentDuringTransfer(e.verb) {
		q.spendRepeated()
	}
	if q.head > 0 && len(q.items) == cap(q.items) {
		q.items = q.items[:copy(q.items, q.items[q.head:])]
		q.head = 0
	}
	q.items = append(q.items, e)
}

// remove takes the i-th exchange out and returns it.
func (q *queue) remove(i int) exchange {
	e := *q.at(i)
	copy(q.items[q.head+1:q.head+i+1], q.items[q.head:q.head+i])
	q.head++
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
		if cap(q.items) > usualPending {
			q.items = nil
		}
	}
	return e
}

// spendRepeated marks the transfers that have had two preliminary replies as
// ended: the client sends what comes after a transfer.
func (q *queue) spendRepeated() {
	for i := range q.len() {
		if e := q.at(i); e.repeated {
			e.spent = true
		}
	}
}

// sentDuringTransfer reports whether clients send v while a transfer runs.
func sentDuringTransfer(v wire.Verb) bool {
	return v == wire.ABOR || v == wire.STAT || v == wire.NOOP
}

// none means that a reply answers no exchange.
const none = -1

// current returns the index of the first exchange that is not spent, or the
// length of the queue.
func (q *queue) current() int {
	i := 0
	for i < q.len() && q.at(i).spent {
		i++
	}
	return i
}

// oldestPassive returns the index of the first PASV or EPSV, spent ones
// included, or none.
func (q *queue) oldestPassive() int {
	for i := range q.len() {
		if isPassive(q.at(i)) {
			return i
		}
	}
	return none
}

// answeredBy returns the index of the exchange that a reply with this code
// answers: the oldest, but for what servers really do around transfers. Stale
// says that those before it will have no answer any more. A 227 or 229 is
// asked for by takePassive first.
func (q *queue) answeredBy(code int) (i int, stale bool) {
	first := q.current()
	if first == q.len() {
		return none, false
	}
	head := q.at(first)
	switch {
	case head.own():
		// Our answer waits for the end of this reply, which answers no command.
		return none, false
	case code < 200:
		if !mayBegin(head) {
			// A transfer begins, so everything before it has been answered.
			return q.behind(first, func(e *exchange) bool { return e.verb.Transfers() })
		}
	case head.verb.Transfers() && head.started && !endsTransfer(code):
		// A command that the server answers in the middle of a transfer
		// (STAT, RFC 959 section 4.1.3; NOOP to keep NAT alive).
		i, stale = q.behind(first, func(e *exchange) bool { return !e.verb.Transfers() })
		return i, stale && i == first
	case head.verb == wire.ABOR && !answersAbort(code):
		// The aborted transfer's own reply has stood for ABOR's too.
		return q.behind(first, func(*exchange) bool { return true })
	}
	return first, first > 0
}

// behind returns the first exchange behind the one at first that the server
// answers and ok accepts; without one, first itself.
func (q *queue) behind(first int, ok func(*exchange) bool) (i int, stale bool) {
	for j := first + 1; j < q.len(); j++ {
		if e := q.at(j); !e.own() && ok(e) {
			return j, true
		}
	}
	return first, first > 0
}

// mayBegin reports whether e may have a preliminary reply (RFC 959 section
// 5.4): a transfer, or a connection that begins.
func mayBegin(e *exchange) bool {
	return e.verb.Transfers() || e.verb == greeting || e.verb == wire.REIN
}

func isPassive(e *exchange) bool {
	return (e.verb == wire.PASV || e.verb == wire.EPSV) && !e.epsvAll
}

// announces reports whether a reply with this code announces a data
// connection if a PASV or EPSV awaits one. Some servers answer the one with
// the reply of the other.
func announces(code int) bool {
	return code == wire.Code227Passive || code == wire.Code229Extended
}

// refusesPassive reports whether a reply with this code is the end of a PASV
// or EPSV. Any other one may be a reply too many to an earlier command (226
// and 426 after an abort), so that the announcement may still come.
func refusesPassive(code int) bool { return code >= 400 && code != wire.Code426Aborted }

// answersAbort reports whether an ABOR can have this reply (RFC 959 section
// 5.4).
func answersAbort(code int) bool {
	return code == wire.Code225DataOpen || code == wire.Code226Closing || code >= 400
}

// endsTransfer reports whether a transfer that has begun can have this reply
// (RFC 959 section 5.4).
func endsTransfer(code int) bool {
	switch code {
	case wire.Code225DataOpen, wire.Code226Closing, wire.Code250Done:
		return true
	}
	return code/100 == 4 || code/10 == 55
}
