package dialogue

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ftpalg/alg/wire"
)

// follow plays "C: " and "S: " lines and returns the transfers that begin (+)
// and end (-).
func follow(t *testing.T, lines ...string) (out []string) {
	t.Helper()
	d := New(Policy{}, netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("198.18.1.20"))
	for _, l := range append([]string{"S: 220 ready"}, lines...) {
		line := wire.Line{Bytes: []byte(l[3:] + "\r\n"), Begins: true, Ends: true}
		if strings.HasPrefix(l, "C: ") {
			d.Command(line)
			continue
		}
		v := d.Reply(line)
		if x := v.Begun; x != nil {
			out = append(out, fmt.Sprintf("+ %s %q %q %c over %d", x.Verb, x.Name, x.User, x.Form, x.Number))
		}
		if x := v.Ended; x != nil {
			out = append(out, fmt.Sprintf("- %s %q %q %c over %d complete %v", x.Verb, x.Name, x.User, x.Form, x.Number, x.Complete))
		}
	}
	return out
}

func TestTransfersAreFollowed(t *testing.T) {
	for name, c := range map[string]struct{ lines, want []string }{
		"a download": {
			[]string{"C: USER joe", "S: 331 and?", "C: TYPE I", "S: 200 ok", "C: PASV", "S: 227 (198,18,1,20,19,136)",
				"C: RETR  a b ", "S: 150 here", "S: 226 done"},
			[]string{`+ RETR " a b " "joe" I over 1`, `- RETR " a b " "joe" I over 1 complete true`},
		},
		"an upload that breaks": {
			[]string{"C: PORT 203,0,113,10,195,81", "S: 200 ok", "C: STOR x", "S: 125 go", "S: 426 broken"},
			[]string{`+ STOR "x" "" A over 1`, `- STOR "x" "" A over 1 complete false`},
		},
		"one that never began": {[]string{"C: RETR x", "S: 550 no"}, nil},
		"without a preliminary reply": {
			[]string{"C: STOU", "S: 250 done"},
			[]string{`- STOU "" "" A over 0 complete true`},
		},
		"a refused type": {
			[]string{"C: TYPE I", "S: 504 no", "C: LIST", "S: 150 here", "S: 226 done"},
			[]string{`+ LIST "" "" A over 0`, `- LIST "" "" A over 0 complete true`},
		},
		"REIN forgets user and type": {
			[]string{"C: USER joe", "S: 230 in", "C: type i", "S: 200 ok", "C: REIN", "S: 220 again", "C: APPE x", "S: 150 here", "S: 226 done"},
			[]string{`+ APPE "x" "" A over 0`, `- APPE "x" "" A over 0 complete true`},
		},
		"ABOR": {
			[]string{"C: RETR x", "S: 150 here", "C: ABOR", "S: 426 broken", "S: 226 aborted"},
			[]string{`+ RETR "x" "" A over 0`, `- RETR "x" "" A over 0 complete false`},
		},
		"NOOP in the middle": {
			[]string{"C: RETR x", "S: 150 here", "S: 150 still here", "C: NOOP", "S: 200 ok", "S: 226 done"},
			[]string{`+ RETR "x" "" A over 0`, `- RETR "x" "" A over 0 complete true`},
		},
		"pipelined": {
			[]string{"C: PASV", "C: RETR a", "C: PASV", "C: RETR b", "S: 227 (198,18,1,20,19,136)", "S: 150 a", "S: 226 a",
				"S: 227 (198,18,1,20,19,137)", "S: 150 b", "S: 226 b"},
			[]string{`+ RETR "a" "" A over 1`, `- RETR "a" "" A over 1 complete true`, `+ RETR "b" "" A over 2`, `- RETR "b" "" A over 2 complete true`},
		},
	} {
		if got := follow(t, c.lines...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestLongNamesAreCutAndManyAreForgotten(t *testing.T) {
	long := strings.Repeat("x", 4000)
	lines := []string{"C: USER " + long}
	for range maxNamed + 1 {
		lines = append(lines, "C: RETR "+long)
	}
	lines = append(lines, "S: 331 and?")
	for range maxNamed + 1 {
		lines = append(lines, "S: 150 here", "S: 226 done")
	}
	got := follow(t, lines...)
	if want := fmt.Sprintf(`+ RETR %q %q A over 0`, long[:maxName], long[:maxUser]); got[0] != want {
		t.Errorf("the first is %.80s", got[0])
	}
	if last := got[len(got)-2]; !strings.HasPrefix(last, `+ RETR "" `) {
		t.Errorf("the last is %.80s", last)
	}
}

func TestOnlyPasswordsAreSecret(t *testing.T) {
	d := New(Policy{}, netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("198.18.1.20"))
	for line, want := range map[string]string{
		"PASS secret": "secret", "acct  a b": " a b", "PASS": "", "USER joe": "", " PASS x": "x", "PASV": "",
		"PASS se\x00cret":   "se\x00cret",
		"SITE PSWD old new": "old new", "site chpass joe x": "joe x", "SITE gpass ": "", "SITE PSWD": "",
		"SITE  PSWD x": "x", "SITE PSWD\told new": "old new", "SITE cpwd  x": " x", "SITE PASSWD x": "x",
		"SITE CHMOD 644 pass": "", "SITE UMASK": "", "SITE": "",
	} {
		b := []byte(line + "\r\n")
		if got := d.Command(wire.Line{Bytes: b, Begins: true, Ends: true}).Secret.In(b); string(got) != want {
			t.Errorf("of %q %q is secret, want %q", line, got, want)
		}
	}
}
