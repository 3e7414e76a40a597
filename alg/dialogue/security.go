package dialogue

import (
	"bytes"
	"strings"

	"ftpalg/alg/wire"
)

// TLS says what becomes of a client's wish for TLS.
type TLS uint8

const (
	// PassTLS passes AUTH on: if the server agrees, the session becomes opaque.
	PassTLS TLS = iota
	// RefuseTLS answers AUTH with 534 (RFC 2228 section 5).
	RefuseTLS
	// HideTLS answers AUTH as a server does that never heard of it.
	HideTLS
	// OfferTLS makes the gateway the end of the client's TLS. The server
	// hears nothing of it.
	OfferTLS
	// RequireTLS is OfferTLS, and neither a password nor data goes in clear.
	RequireTLS
)

// EndsHere reports whether the gateway is the end of the client's TLS.
func (t TLS) EndsHere() bool { return t >= OfferTLS }

// features are the lines of FEAT that tell of it (RFC 4217 section 6).
const features = " AUTH TLS\r\n PBSZ\r\n PROT\r\n"

// security judges what concerns TLS where the gateway is its end (RFC 4217); ok is false for
// every other command.
func (d *Dialogue) security(line []byte, c wire.Command) (v Verdict, ok bool) {
	switch {
	case d.observing:
		return v, false // what was recorded has reached the server
	case !d.policy.TLS.EndsHere():
		return d.apart(c)
	}
	arg := strings.ToUpper(strings.TrimSpace(string(c.Arg.In(line))))
	switch c.Verb {
	case wire.AUTH:
		return d.authHere(arg), true
	case wire.PBSZ:
		return d.pbsz(), true
	case wire.PROT:
		return d.prot(arg), true
	case wire.CCC:
		return d.clear(), true
	case wire.ADAT, wire.MIC, wire.CONF, wire.ENC:
		return d.here("502 " + string(c.Verb) + " is not for TLS."), true
	case wire.REIN:
		if d.secure || d.policy.ServerTLS {
			return d.here("502 REIN is not possible under TLS."), true
		}
	case wire.USER, wire.PASS, wire.ACCT:
		if d.policy.TLS == RequireTLS && !d.secure {
			return d.clearRefused(c.Verb, "530 TLS is required here: say AUTH TLS first."), true
		}
	}
	if c.Verb.Transfers() && d.policy.TLS == RequireTLS && !d.protected {
		return d.clearRefused(c.Verb, "521 Data in clear is refused here: say PROT P first."), true
	}
	return v, false
}

// apart keeps from a server with which the gateway itself speaks TLS what
// would change that.
func (d *Dialogue) apart(c wire.Command) (v Verdict, ok bool) {
	if !d.policy.ServerTLS {
		return v, false
	}
	switch c.Verb {
	case wire.AUTH:
		if d.policy.TLS == RefuseTLS {
			return d.auth(), true
		}
		return d.here("502 Command not implemented."), true
	case wire.PBSZ, wire.PROT, wire.CCC, wire.ADAT, wire.MIC, wire.CONF, wire.ENC, wire.REIN:
		return d.here("502 Command not implemented."), true
	}
	return v, false
}

// here answers in the server's place.
func (d *Dialogue) here(answer string) Verdict { return d.refuse(exchange{}, NoReason, answer) }

func (d *Dialogue) clearRefused(verb wire.Verb, answer string) Verdict {
	v := d.refuse(exchange{verb: verb}, NotAllowed, answer)
	v.Setting = "tls: require"
	return v
}

// authHere agrees to TLS. What the client sends behind its AUTH is for TLS,
// and waits until the handshake is over.
func (d *Dialogue) authHere(mechanism string) Verdict {
	if d.secure {
		return d.here("503 The control connection is protected already.")
	}
	mechanism, _, _ = strings.Cut(mechanism, " ")
	switch mechanism {
	case "TLS", "TLS-C":
	case "SSL", "TLS-P":
		d.protected = true // they imply PROT P (draft-murray-auth-ftp-ssl-07)
	default:
		return d.here("504 AUTH " + cut(mechanism) + " is not known, say AUTH TLS.")
	}
	d.securing = true
	d.pending.push(exchange{answer: "234 Begin TLS.", switches: true})
	return Verdict{Action: Refuse, Answer: d.due()}
}

// cut returns so much of a client's word as a reply can show.
func cut(word string) string {
	const longest = 16
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, word[:min(len(word), longest)])
}

// pbsz agrees to the only size that makes sense for TLS (RFC 4217 section 8).
func (d *Dialogue) pbsz() Verdict {
	if !d.secure {
		return d.here("503 PBSZ comes after AUTH.")
	}
	d.sized = true
	return d.here("200 PBSZ=0")
}

// prot sets whether data is protected (RFC 4217 section 9).
func (d *Dialogue) prot(level string) Verdict {
	switch {
	case !d.sized:
		return d.here("503 PROT comes after AUTH and PBSZ.")
	case level == "P":
		d.protected = true
		return d.here("200 Data is protected.")
	case level == "C" && d.policy.TLS == RequireTLS:
		return d.here("534 Data in clear is refused here.")
	case level == "C":
		d.protected = false
		return d.here("200 Data is in clear.")
	case level == "S", level == "E":
		return d.here("536 TLS knows PROT C and PROT P only.")
	}
	return d.here("504 PROT level is not known.")
}

// clear agrees to end the control connection's TLS (RFC 4217 section 12.3), which
// lets NAT devices before the gateway read it; data stays as PROT says. What the
// client sends behind its CCC waits until that is done.
func (d *Dialogue) clear() Verdict {
	switch {
	case !d.policy.ClearControl:
		return d.here("533 The control connection stays protected.")
	case !d.secure:
		return d.here("533 The control connection is not protected.")
	}
	d.securing = true
	d.pending.push(exchange{answer: "200 The control connection goes on in clear.", switches: true})
	return Verdict{Action: Refuse, Answer: d.due()}
}

// Cleared says that the client's control connection is in clear from now on.
func (d *Dialogue) Cleared() { d.secure, d.securing = false, false }

// Secured says that the client's control connection is under TLS from now on.
func (d *Dialogue) Secured() { d.secure, d.securing = true, false }

// takeSwitch reports whether TLS begins or ends behind what has just been
// answered.
func (d *Dialogue) takeSwitch() bool {
	start := d.switching
	d.switching = false
	return start
}

// ofFEAT reports whether a reply with this code is the one to FEAT (RFC 2389
// section 3.2), of which the gateway must show what it does itself.
func (d *Dialogue) ofFEAT(code int) bool {
	if d.observing || !d.policy.TLS.EndsHere() && !d.policy.ServerTLS || code != wire.Code211Status {
		return false
	}
	i, _ := d.pending.answeredBy(code)
	return i != none && d.pending.at(i).verb == wire.FEAT
}

// serversOwn reports whether a line of a reply to FEAT tells of what the
// server would do for protection.
func serversOwn(line []byte) bool {
	// Some servers repeat the code on each line.
	name, _, _ := bytes.Cut(bytes.TrimLeft(bytes.TrimPrefix(line, []byte("211-")), " "), []byte(" "))
	switch string(bytes.ToUpper(bytes.TrimRight(name, "\r\n"))) {
	case "AUTH", "PBSZ", "PROT", "CCC", "ADAT", "MIC", "CONF", "ENC":
		return true
	}
	return false
}

// withFeatures adds what the gateway does itself to the last or only line of
// the reply to FEAT. A server that does not know FEAT is answered for.
func (d *Dialogue) withFeatures(v Verdict, of wire.Verb, code int) Verdict {
	switch {
	case of != wire.FEAT || d.observing || !d.policy.TLS.EndsHere():
	case code == wire.Code211Status && d.group.continued:
		v.Before = []byte(features)
	case code == wire.Code211Status:
		v.Before = []byte("211-Features:\r\n" + features)
	case code >= 500 && !d.group.continued:
		v.Action, v.Answer = Refuse, []byte("211-Features:\r\n"+features+"211 End\r\n")
	}
	return v
}
