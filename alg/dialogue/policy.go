package dialogue

import (
	"bytes"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"ftpalg/alg/wire"
)

// Policy is what a listener's clients may do. The zero Policy lets them do
// what is safe.
type Policy struct {
	// ThirdParty lets PORT and EPRT name a host other than the client
	// (RFC 959 section 5.2, figure 3); otherwise they are refused
	// (RFC 2577 section 3).
	ThirdParty bool
	// TLS says what becomes of AUTH.
	TLS TLS
	// ServerTLS says that the gateway itself speaks TLS with the server, which
	// the client must not disturb.
	ServerTLS bool
	// ClearControl lets clients end the TLS of their control connection (CCC).
	ClearControl bool
	// Convert says how the server's side of a data connection is made.
	Convert Convert
	// NoActive refuses PORT and EPRT, NoPassive PASV and EPSV.
	NoActive, NoPassive bool
	// Commands bounds the commands that pass.
	Commands Commands
	// Deny are commands that are refused, in upper case: a verb, or SITE with
	// a subcommand, one blank between them.
	Deny []string
	// Users bounds the names that USER may give.
	Users Users
	// Refusal is what a client is told; "" means "Not allowed here."
	Refusal string
	// LowestPort is the lowest port of a data connection; below 1024 it is
	// 1024 (RFC 2577 section 3).
	LowestPort uint16
	// ServerData are the networks whose addresses in a 227 are taken as they
	// are. Any other address stands for the server itself.
	ServerData []netip.Prefix
	// Banner is the text of the greeting and System that of the reply to SYST
	// in the place of the server's own, which tell its make; "" passes those.
	Banner, System string
	// Where says where in the configuration the policy stands, before the
	// name of a setting; "" for the listener's own.
	Where string
}

// Convert says how the server's side of a data connection is made, whatever
// the client asks for.
type Convert string

// The conversions: the gateway connects to the server, or the server to the
// gateway.
const (
	ConvertNothing Convert = ""
	ConvertPassive Convert = "passive"
	ConvertActive  Convert = "active"
)

// Commands is a ready-made set of commands.
type Commands string

// The sets. A command that is in neither ReadOnly nor UploadOnly, such as
// SITE, is refused by both: what it does is the server's affair.
const (
	AllCommands Commands = ""
	ReadOnly    Commands = "read-only"
	UploadOnly  Commands = "upload-only"
)

// Users is a set of user names.
type Users string

// The sets: Anonymous are the names of RFC 1635, Named all others.
const (
	AnyUser   Users = ""
	Anonymous Users = "anonymous"
	Named     Users = "named"
)

// harmless are the commands that change no file and carry none (RFC 959, 2389,
// 2640, 3659, 7151), and listings.
var harmless = strings.Fields(`USER PASS ACCT REIN QUIT HOST AUTH ADAT PBSZ PROT CCC MIC CONF ENC
	FEAT OPTS HELP SYST STAT NOOP LANG CLNT CSID TYPE MODE STRU ALLO REST ABOR SIZE MDTM AVBL
	CWD XCWD CDUP XCUP PWD XPWD LIST NLST MLSD MLST PORT EPRT PASV EPSV LPRT LPSV`)

// reading and uploading are what those sets have besides.
var (
	reading   = strings.Fields("RETR HASH RANG XCRC XMD5 XSHA XSHA1 XSHA256 XSHA512 MD5 MMD5")
	uploading = strings.Fields("STOR STOU APPE MKD XMKD")
)

// forbids returns the setting that keeps a command from passing, and the reply;
// both are empty if none does.
func (p *Policy) forbids(line []byte, c wire.Command) (setting, reply string) {
	if !p.restricts() {
		return "", "" // as nearly always, and without a copy of the line
	}
	if setting, reply = p.forbid(line, c); setting != "" {
		setting = p.Where + setting
	}
	return setting, reply
}

func (p *Policy) forbid(line []byte, c wire.Command) (setting, reply string) {
	name := strings.ToUpper(string(c.Name.In(line)))
	arg := c.Arg.In(line)
	switch {
	case p.NoActive && (name == "PORT" || name == "EPRT" || name == "LPRT"):
		return "modes: passive", p.reply("502 ")
	case p.NoPassive && (name == "PASV" || name == "EPSV" || name == "LPSV"):
		return "modes: active", p.reply("502 ")
	case name == "USER" && p.Users != AnyUser && p.Users.refuse(arg):
		return "users: " + string(p.Users), p.reply("530 ")
	case !p.Commands.allow(name, arg):
		return "commands: " + string(p.Commands), p.reply("550 ")
	}
	if entry := p.denied(name, arg); entry != "" {
		return "deny: " + entry, p.reply("550 ")
	}
	return "", ""
}

// restricts reports whether any command may be forbidden.
func (p *Policy) restricts() bool {
	return p.NoActive || p.NoPassive || p.Commands != AllCommands || p.Users != AnyUser || len(p.Deny) > 0
}

// lowestPort returns the lowest port of a data connection.
func (p *Policy) lowestPort() uint16 { return max(p.LowestPort, lowestPort) }

// lowPort is the setting that refuses a port from 1024 on, "" for one below,
// which is never allowed.
func (p *Policy) lowPort(port uint16) string {
	if port < lowestPort {
		return ""
	}
	return p.Where + "lowest_data_port: " + strconv.Itoa(int(p.LowestPort))
}

// dataHost returns where the server of a session waits that says so in a 227:
// on a member that answers for itself, or whatever it says, at its own address.
func (p *Policy) dataHost(said, server netip.Addr) netip.Addr {
	if said.IsGlobalUnicast() && slices.ContainsFunc(p.ServerData, func(n netip.Prefix) bool { return n.Contains(said) }) {
		return said
	}
	return server
}

func (p *Policy) reply(code string) string {
	if p.Refusal == "" {
		return code + "Not allowed here."
	}
	return code + p.Refusal
}

// denied returns the entry of Deny that names a command, "" if none does.
func (p *Policy) denied(name string, arg []byte) string {
	if len(p.Deny) == 0 {
		return ""
	}
	if slices.Contains(p.Deny, name) {
		return name
	}
	if words := bytes.Fields(arg); name == "SITE" && len(words) > 0 {
		full := name + " " + strings.ToUpper(string(words[0]))
		if slices.Contains(p.Deny, full) {
			return full
		}
	}
	return ""
}

// allow reports whether a command is in the set.
func (s Commands) allow(name string, arg []byte) bool {
	switch {
	case s == AllCommands:
		return true
	case name == "MDTM" && setsTime(arg):
		return s == UploadOnly
	case slices.Contains(harmless, name):
		return true
	case s == ReadOnly:
		return slices.Contains(reading, name)
	}
	return slices.Contains(uploading, name)
}

// setsTime reports whether MDTM has a time before its path: some servers change
// the file's then.
func setsTime(arg []byte) bool {
	first, rest, _ := bytes.Cut(arg, []byte(" "))
	digits := len(bytes.Trim(first, "0123456789")) == 0
	return len(rest) > 0 && len(first) >= 14 && digits
}

// refuse reports whether a name is not in the set (RFC 1635).
func (s Users) refuse(arg []byte) bool {
	name := strings.ToLower(strings.TrimSpace(string(arg)))
	anonymous := name == "anonymous" || name == "ftp"
	return anonymous != (s == Anonymous)
}
