package capture_test

import (
	"strings"
	"testing"

	"ftpalg/alg/capture/capturetest"
)

// What is FTP, and what only looks like it. Lines are marked with C and S.
func TestWhatIsFTP(t *testing.T) {
	tests := map[string]struct {
		midway bool
		script string
		is     bool
	}{
		"a greeting and a user":              {false, "S: 220 hi\nC: USER a", true},
		"a greeting in two lines":            {false, "S: 220-hi\nS: 220 there\nC: FEAT", true},
		"a greeting that asks for patience":  {false, "S: 120 wait\nS: 220 hi\nC: USER a", true},
		"a greeting that names FTP":          {false, "S: 220 (vsFTPd 3.0.5)", true},
		"a refusal that names FTP":           {false, "S: 421 FTP: too many users", true},
		"encryption first":                   {false, "S: 220 hi\nC: AUTH TLS", true},
		"an unusual greeting":                {false, "S: 230 come in\nC: PASV\nS: 227 (1,2,3,4,5,6)", true},
		"small talk first":                   {false, "S: 220 hi\nC: NOOP\nS: 200 ok\nC: SYST", true},
		"a greeting alone":                   {false, "S: 220 hi", false},
		"a greeting and good-bye":            {false, "S: 220 hi\nC: QUIT\nS: 221 bye", false},
		"mail":                               {false, "S: 220 ftp.example.org ESMTP\nC: EHLO x\nS: 250 ok\nC: USER a\nS: 500 what", false},
		"mail, only greeted":                 {false, "S: 220 ftp.example.org ESMTP", false},
		"mail that authenticates":            {false, "S: 220 hi\nC: AUTH PLAIN abc\nS: 235 ok", false},
		"mail, from its body on":             {true, "C: USER a\nC: PASV\nC: 227 (1,2,3,4,5,6)\nC: .\nS: 250 queued", false},
		"a change of passwords":              {false, "S: 200 poppassd\nC: user a\nS: 200 go on\nC: pass b\nS: 200 ok\nC: newpass c\nS: 200 ok", false},
		"news":                               {false, "S: 200 hi\nC: GROUP a.b\nS: 211 1 2 3 a.b\nC: ARTICLE 1\nS: 220 1 <a>\nS: 227 (1,2,3,4,5,6)\nS: .", false},
		"post office":                        {false, "S: +OK\nC: USER a\nS: +OK\nC: PASS b\nS: +OK\nC: LIST\nS: +OK", false},
		"chat":                               {false, "C: NICK a\nC: USER a 0 * :A\nS: :irc 001 a :hi", false},
		"the web":                            {false, "C: GET /USER HTTP/1.1\nC: \nS: HTTP/1.1 200 OK", false},
		"a file that quotes a session":       {false, "S: 220 hi\nS: USER a\nS: 331 p\nS: 227 (1,2,3,4,5,6)", false},
		"an upload that quotes a session":    {false, "C: USER a\nC: PASV\nC: PORT 1,2,3,4,5,6", false},
		"from an answer on":                  {true, "S: 331 password\nC: PASS x\nS: 230 in", true},
		"from a PASV on":                     {true, "C: PASV\nS: 227 (1,2,3,4,5,6)", true},
		"from a PORT on that is not allowed": {true, "C: PORT 1,2,3,4,5,6\nS: 500 no", true},
		"from a transfer on":                 {true, "C: RETR x\nS: 150 here\nS: 226 done", true},
		"from within a line on":              {true, "S: word required\nC: PASS x\nS: 230 in\nC: TYPE I\nS: 200 ok", true},
		"two commands that are answered":     {true, "C: CWD a\nS: 250 ok\nC: DELE b\nS: 250 ok", true},
		"a single command that is answered":  {true, "C: CWD a\nS: 250 ok", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			tape := capturetest.NewTape()
			c := tape.Conn("198.51.100.7:40001", "203.0.113.1:4711")
			if !test.midway {
				c.Open()
			}
			for _, l := range strings.Split(test.script, "\n") {
				side, text, _ := strings.Cut(l, ": ")
				c.Record(c.Make(side == "S", text+"\r\n"))
			}
			got := inspect(t, capturetest.Pcap(tape.Packets, capturetest.Ethernet, 0))
			if is := got.stats.Sessions == 1; is != test.is {
				t.Errorf("it is FTP: %v, want %v", is, test.is)
			}
		})
	}
}
