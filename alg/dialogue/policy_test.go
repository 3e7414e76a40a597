package dialogue

import (
	"net/netip"
	"testing"

	"ftpalg/alg/wire"
)

func TestPolicyForbids(t *testing.T) {
	readOnly, uploadOnly := Policy{Commands: ReadOnly}, Policy{Commands: UploadOnly}
	deny := Policy{Deny: []string{"DELE", "SITE CHMOD"}, Refusal: "Ask the help desk."}
	for _, c := range []struct {
		name    string
		policy  Policy
		line    string
		setting string
		answer  string
	}{
		{"nothing", Policy{}, "DELE x", "", ""},
		{"a download", readOnly, "RETR x", "", ""},
		{"a listing", readOnly, "MLSD", "", ""},
		{"an upload", readOnly, "STOR x", "commands: read-only", "550 Not allowed here."},
		{"an upload in lower case", readOnly, "stor x", "commands: read-only", "550 Not allowed here."},
		{"an upload behind blanks", readOnly, " \tSTOR x", "commands: read-only", "550 Not allowed here."},
		{"an upload with a tab", readOnly, "STOR\tx", "commands: read-only", "550 Not allowed here."},
		{"a deletion", readOnly, "DELE x", "commands: read-only", "550 Not allowed here."},
		{"a new name", readOnly, "RNFR x", "commands: read-only", "550 Not allowed here."},
		{"a server's own command", readOnly, "XSTOR x", "commands: read-only", "550 Not allowed here."},
		{"SITE", readOnly, "SITE CHMOD 777 x", "commands: read-only", "550 Not allowed here."},
		{"the time of a file", readOnly, "MDTM x", "", ""},
		{"another time for a file", readOnly, "MDTM 20261128090000 x", "commands: read-only", "550 Not allowed here."},
		{"an upload where those are meant", uploadOnly, "STOR x", "", ""},
		{"a folder", uploadOnly, "MKD x", "", ""},
		{"a download where uploads are meant", uploadOnly, "RETR x", "commands: upload-only", "550 Not allowed here."},
		{"a deletion where uploads are meant", uploadOnly, "DELE x", "commands: upload-only", "550 Not allowed here."},
		{"one that is denied", deny, "dele x", "deny: DELE", "550 Ask the help desk."},
		{"a subcommand", deny, "site chmod 777 x", "deny: SITE CHMOD", "550 Ask the help desk."},
		{"a subcommand behind blanks", deny, "SITE   CHMOD\t777 x", "deny: SITE CHMOD", "550 Ask the help desk."},
		{"another subcommand", deny, "SITE UMASK 022", "", ""},
		{"one that begins alike", deny, "DELEX x", "", ""},
		{"active", Policy{NoActive: true}, "PORT 203,0,113,10,200,10", "modes: passive", "502 Not allowed here."},
		{"active, extended", Policy{NoActive: true}, "EPRT |1|203.0.113.10|51210|", "modes: passive", "502 Not allowed here."},
		{"passive", Policy{NoPassive: true}, "PASV", "modes: active", "502 Not allowed here."},
		{"passive, extended", Policy{NoPassive: true}, "EPSV", "modes: active", "502 Not allowed here."},
		{"anonymous", Policy{Users: Named}, "USER anonymous", "users: named", "530 Not allowed here."},
		{"ftp, in other letters", Policy{Users: Named}, "USER  FTP", "users: named", "530 Not allowed here."},
		{"somebody", Policy{Users: Named}, "USER joe", "", ""},
		{"somebody where nobody is", Policy{Users: Anonymous}, "USER joe", "users: anonymous", "530 Not allowed here."},
		{"anonymous where all are", Policy{Users: Anonymous}, "USER ftp", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := New(c.policy, netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("198.18.1.20"))
			d.Reply(wire.Line{Bytes: []byte("220 ready\r\n"), Begins: true, Ends: true})
			v := d.Command(wire.Line{Bytes: []byte(c.line + "\r\n"), Begins: true, Ends: true})
			want := ""
			if c.answer != "" {
				want = c.answer + "\r\n"
			}
			if refused := v.Action == Refuse; v.Setting != c.setting || string(v.Answer) != want || refused != (c.setting != "") {
				t.Errorf("%q: action %d by %q, answer %q; want %q, %q", c.line, v.Action, v.Setting, v.Answer, c.setting, want)
			}
		})
	}
}
