package capture

import (
	"bytes"
	"slices"

	"ftpalg/alg/wire"
)

// guess weighs whether a connection is an FTP control connection with a given
// side as the client. SMTP greets with 220 too, and mail, news and files quote
// anything: so either the server has greeted and the client's first word is
// FTP's alone, or a command has the answer that only FTP gives to it.
type guess struct {
	// whole says that the connection is recorded from its beginning.
	whole bool
	// dead says that the guess is wrong, sure that it is right; telling that
	// it is if only one side was recorded; named that the server has called
	// itself FTP.
	dead, sure, telling, named bool

	greeted           bool
	commands, replies int // well-formed lines so far
	odd               int // others
	reader            wire.ReplyReader
	// asked holds the latest commands whose answers may tell FTP.
	asked []wire.Verb
	// latest is the line before, if that was a command; exchanges counts the
	// commands of FTP alone that were answered at once.
	latest    latest
	exchanges int
}

// latest is what the client said last, before the server spoke.
type latest uint8

const (
	saidNothing  latest = iota
	saidFTP             // a command of FTP alone
	saidAnnounce        // one that announces, or asks to
)

// Limits of a guess.
const (
	maxOdd   = 24
	maxAsked = 8
)

// gap says that lines are missing.
func (g *guess) gap() {
	g.reader = wire.ReplyReader{}
	g.whole = g.whole && g.greeted
}

// command weighs a line of the side that is taken for the client.
func (g *guess) command(line []byte) {
	if g.dead || g.sure {
		return
	}
	g.latest = saidNothing
	c := wire.ParseCommand(line)
	name := string(bytes.ToUpper(c.Name.In(line)))
	switch {
	case foreign[name]:
		g.dead = true
		return
	case c.Verb == "" && !wordLike(name):
		g.stray(g.commands == 0 && !g.whole)
		return
	}
	g.commands++
	if answers[c.Verb] != nil {
		if len(g.asked) == maxAsked {
			g.asked = slices.Delete(g.asked, 0, 1)
		}
		g.asked = append(g.asked, c.Verb)
	}
	switch {
	case !distinctive(c, line):
	case g.greeted:
		g.sure = true
	case announcing(c, line):
		g.latest, g.telling = saidAnnounce, true
	default:
		g.latest = saidFTP
	}
}

// reply weighs a line of the side that is taken for the server.
func (g *guess) reply(line []byte) {
	if g.dead || g.sure {
		return
	}
	text := bytes.TrimRight(line, "\r\n")
	r := g.reader.Line(text)
	if r.Stray {
		g.stray(g.replies == 0 && !g.whole)
		return
	}
	if r.First && (r.Code < 100 || r.Code > 699) {
		g.dead = true
		return
	}
	g.replies++
	if g.replies == 1 && g.whole {
		g.greeted = r.Code == 220 || r.Code == 120 || r.Code == 421
	}
	if g.greeted && g.commands == 0 {
		upper := bytes.ToUpper(text)
		g.named = (g.named || bytes.Contains(upper, []byte("FTP"))) && !bytes.Contains(upper, []byte("SMTP"))
	}
	if !r.Final {
		return
	}
	g.weigh(r.Code, line)
}

// weigh looks whether a reply is FTP's alone, given what was asked.
func (g *guess) weigh(code int, line []byte) {
	switch g.latest {
	case saidAnnounce:
		g.sure = true
	case saidFTP:
		g.exchanges++
	}
	g.latest = saidNothing
	answered := func(v wire.Verb) bool { return slices.Contains(answers[v], code) }
	g.sure = g.sure || g.exchanges > 1 || slices.ContainsFunc(g.asked, answered)
	var err error
	switch code {
	case wire.Code227Passive:
		_, err = wire.Parse227(line)
	case wire.Code229Extended:
		_, err = wire.Parse229(line)
	case 331: // SMTP has no such code
	default:
		return
	}
	g.telling = g.telling || err == nil
}

// tells reports whether both sides speak as in FTP, and one of them told of a
// data connection.
func (g *guess) tells() bool { return g.telling && g.odd == 0 && g.commands > 0 && g.replies > 1 }

// stray counts a line that is neither; one is forgiven where a recording
// begins.
func (g *guess) stray(first bool) {
	g.odd++
	if g.whole && g.commands+g.replies == 0 && !first || g.odd > maxOdd {
		g.dead = true
	}
}

// wordLike reports whether a name may be that of a command.
func wordLike(name string) bool {
	if len(name) < 2 || len(name) > 12 {
		return false
	}
	for _, c := range name {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return true
}

// foreign holds the words with which other protocols begin that could be taken
// for FTP (RFC 5321, RFC 2033, RFC 3977, RFC 9110).
var foreign = map[string]bool{
	"EHLO": true, "HELO": true, "LHLO": true, "MAIL": true, "RCPT": true, "DATA": true, "STARTTLS": true,
	"VRFY": true, "EXPN": true, "BDAT": true, "ETRN": true, "TURN": true, "XCLIENT": true,
	"GET": true, "POST": true, "HEAD": true, "PUT": true, "OPTIONS": true, "CONNECT": true, "TRACE": true,
	"GROUP": true, "ARTICLE": true, "XOVER": true, "IHAVE": true, "AUTHINFO": true, "CAPABILITIES": true,
	"NICK": true, "JOIN": true, "PRIVMSG": true, "APOP": true, "UIDL": true, "NEWPASS": true,
}

// distinctive reports whether no other protocol that answers with three digits
// has this command.
func distinctive(c wire.Command, line []byte) bool {
	switch c.Verb {
	case "", wire.QUIT, wire.NOOP, wire.HELP, wire.STAT, wire.MODE, wire.LIST, wire.PASS:
		return false
	case wire.AUTH:
		arg := bytes.ToUpper(bytes.TrimSpace(c.Arg.In(line)))
		return bytes.HasPrefix(arg, []byte("TLS")) || bytes.HasPrefix(arg, []byte("SSL")) ||
			bytes.HasPrefix(arg, []byte("GSSAPI")) && len(arg) == len("GSSAPI") || bytes.HasPrefix(arg, []byte("KERBEROS"))
	}
	return true
}

// announcing reports whether a command alone tells FTP.
func announcing(c wire.Command, line []byte) bool {
	var err error
	switch c.Verb {
	case wire.PASV, wire.EPSV:
		return true
	case wire.PORT:
		_, err = wire.ParsePORT(line, c.Arg)
	case wire.EPRT:
		_, err = wire.ParseEPRT(line, c.Arg)
	default:
		return false
	}
	return err == nil
}

// answers holds, for commands of FTP, the replies that tell it from whatever
// else a recording may show (RFC 959 section 5.4, RFC 2389, RFC 2428, RFC
// 3659, RFC 4217).
var answers = map[wire.Verb][]int{
	wire.USER: {331, 332, 230, 232},
	wire.PASV: {227},
	wire.EPSV: {229, 522},
	wire.PORT: {200},
	wire.EPRT: {200, 522},
	wire.TYPE: {200},
	wire.PWD:  {257},
	wire.XPWD: {257},
	wire.MKD:  {257},
	wire.XMKD: {257},
	wire.SYST: {215},
	wire.FEAT: {211},
	wire.SIZE: {213},
	wire.MDTM: {213},
	wire.RNFR: {350},
	wire.REST: {350},
	wire.AUTH: {234},
	wire.PBSZ: {200},
	wire.PROT: {200},
	wire.OPTS: {200},
	wire.ABOR: {225, 226},
	wire.RETR: transferReplies,
	wire.STOR: transferReplies,
	wire.APPE: transferReplies,
	wire.STOU: transferReplies,
	wire.LIST: transferReplies,
	wire.NLST: transferReplies,
	wire.MLSD: transferReplies,
}

var transferReplies = []int{125, 150, 226, 425, 426}
