package wire_test

import (
	"strings"
	"testing"

	"ftpalg/alg/wire"
)

func TestParseCommand(t *testing.T) {
	tests := []struct {
		line   string // the name is marked
		verb   wire.Verb
		arg    string
		telnet int
		iac    bool
	}{
		{line: "«USER» anonymous\r\n", verb: wire.USER, arg: "anonymous"},
		{line: "«user» anonymous\n", verb: wire.USER, arg: "anonymous"},
		{line: "«PaSv»\r\n", verb: wire.PASV},
		{line: "«PASV» \r\n", verb: wire.PASV},
		{line: "«CWD»  two blanks \r\n", verb: wire.CWD, arg: " two blanks "},
		{line: "«PORT»\t192,0,2,1,4,1\r\n", verb: wire.PORT, arg: "192,0,2,1,4,1"},
		{line: " \t«PORT» 192,0,2,1,4,1\r\n", verb: wire.PORT, arg: "192,0,2,1,4,1"},
		{line: "«RETR» \xc3\xa4\xe4\r\n", verb: wire.RETR, arg: "\xc3\xa4\xe4"},
		{line: "«RETR» unterminated", verb: wire.RETR, arg: "unterminated"},
		{line: "«»\r\n"},
		{line: "   «»\r\n"},
		{line: "«PORTS» 1\r\n", arg: "1"},
		{line: "«POR» 1\r\n", arg: "1"},
		{line: "«MLſD»\r\n"}, // long s folds to S in Unicode, not here
		{line: "«\x16\x03\x01\x02»\r\n"},
		{line: "«SITE» CHMOD 644 x\r\n", verb: wire.SITE, arg: "CHMOD 644 x"},

		{line: "\xff\xf4\xff\xf2«ABOR»\r\n", verb: wire.ABOR, telnet: 4},
		{line: "\xff\xf4\xff\xf2 «abor»\r\n", verb: wire.ABOR, telnet: 4},
		{line: "\xff\xf4\xff«abor»\r\n", verb: wire.ABOR, telnet: 3},
		{line: "\xff«ABOR»\r\n", verb: wire.ABOR, telnet: 1},
		{line: "\xf2«ABOR»\r\n", verb: wire.ABOR, telnet: 1},
		{line: "«\xffPORT» 1\r\n", arg: "1", iac: true},
		{line: "\xff\xfd\x06\xff\xfb\x01«NOOP»\r\n", verb: wire.NOOP, telnet: 6},
		{line: "\xff\xf1«PORT» 1\r\n", verb: wire.PORT, arg: "1", telnet: 2},
		{line: "«PO\xff\xf1RT» 1\r\n", arg: "1", iac: true},
		{line: "«PORT» 1\xff\xf1,2\r\n", verb: wire.PORT, arg: "1\xff\xf1,2", iac: true},
		{line: "«RETR» a\xff\xffb\r\n", verb: wire.RETR, arg: "a\xff\xffb"},
		{line: "«RETR» a\xff\xff\xff\r\n", verb: wire.RETR, arg: "a\xff\xff\xff", iac: true},
		{line: "«RETR» a\xff\r\n", verb: wire.RETR, arg: "a\xff", iac: true},
		{line: "«\xff\xffABOR»\r\n"},
		{line: "«\xff»\r\n", iac: true},
		{line: "«\xff\xfd»\r\n", iac: true},
		{line: "«\xff\xf0ABOR»\r\n", iac: true},
		{line: "«\xff\xfa\x18\x01\xff\xf0ABOR»\r\n", iac: true},
	}
	for _, tt := range tests {
		line, name := marked(t, tt.line)
		c := wire.ParseCommand(line)
		if c.Verb != tt.verb || c.Name != name || string(c.Arg.In(line)) != tt.arg || c.Telnet != tt.telnet || c.IAC != tt.iac {
			t.Errorf("%q: %+v with argument %q, want %+v", line, c, c.Arg.In(line), tt)
		}
		if tt.arg != "" && c.Arg.End != len(strings.TrimRight(string(line), "\r\n")) {
			t.Errorf("%q: argument ends at %d", line, c.Arg.End)
		}
	}
}

func TestEveryVerbOfTheRegistryIsKnown(t *testing.T) {
	// RFC 5797 section 3, then RFC 6384 and RFC 7151.
	const registry = `ABOR ACCT ADAT ALLO APPE AUTH CCC CDUP CONF CWD DELE ENC EPRT EPSV FEAT HELP LANG LIST LPRT
		LPSV MDTM MIC MKD MLSD MLST MODE NLST NOOP OPTS PASS PASV PBSZ PORT PROT PWD QUIT REIN REST RETR RMD RNFR
		RNTO SITE SIZE SMNT STAT STOR STOU STRU SYST TYPE USER XCUP XCWD XMKD XPWD XRMD ALGS HOST`
	transfers := map[string]bool{"RETR": true, "STOR": true, "STOU": true, "APPE": true, "LIST": true, "NLST": true, "MLSD": true}
	for _, name := range strings.Fields(registry) {
		c := wire.ParseCommand([]byte(strings.ToLower(name) + "\r\n"))
		if string(c.Verb) != name {
			t.Errorf("%s is %q", name, c.Verb)
		}
		if c.Verb.Transfers() != transfers[name] {
			t.Errorf("%s transfers: %t", name, c.Verb.Transfers())
		}
	}
}

func TestParseEPSV(t *testing.T) {
	for in, want := range map[string]wire.EPSVArg{
		"EPSV\r\n": wire.EPSVNone, "EPSV \r\n": wire.EPSVNone, "EPSV ALL\r\n": wire.EPSVAll, "epsv all\r\n": wire.EPSVAll,
		"EPSV  All \n": wire.EPSVAll, "EPSV 1\r\n": wire.EPSVIPv4, "EPSV 2\r\n": wire.EPSVIPv6, "EPSV 3\r\n": wire.EPSVOther,
		"EPSV 11\r\n": wire.EPSVOther, "EPSV ALLE\r\n": wire.EPSVOther, "EPSV AL\r\n": wire.EPSVOther,
	} {
		line := []byte(in)
		if got := wire.ParseEPSV(line, wire.ParseCommand(line).Arg); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}
