package dialogue

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ftpalg/alg/wire"
)

// observe runs a recorded dialogue, its lines marked with C and S, and "lost"
// where some are missing. It returns what the verdicts say of announcements.
func observe(fromStart bool, script string) (out []string) {
	d := Observe(Policy{}, netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("198.18.1.20"), fromStart)
	for _, l := range strings.Split(strings.TrimSpace(script), "\n") {
		side, text, _ := strings.Cut(strings.TrimSpace(l), ": ")
		line := wire.Line{Bytes: []byte(text + "\r\n"), Begins: true, Ends: true}
		var v Verdict
		switch side {
		case "C":
			v = d.Command(line)
		case "S":
			v = d.Reply(line)
		default:
			d.Lost()
		}
		if a := v.Announcement; a != nil {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %s:%d %s", a.Mode, a.Said, a.At.Port(), v.Reason)))
		}
		if v.Drop.Only != 0 {
			out = append(out, fmt.Sprintf("%d not accepted", v.Drop.Only))
		}
	}
	return out
}

func TestObserve(t *testing.T) {
	tests := map[string]struct {
		midway bool
		script string
		want   []string
	}{
		"what a gateway refuses has passed, and its reply is its own": {script: `
			S: 220 ready
			C: PORT 192,0,2,1,10,0
			S: 200 ok
			C: PORT 203,0,113,10,0,25
			S: 500 no
			C: PASV
			S: 227 (198,18,1,20,10,0)`,
			want: []string{"PORT 192.0.2.1:2560 third_party", "PORT 203.0.113.10:25 low_port", "2 not accepted", "PASV 198.18.1.20:2560"},
		},
		"a PASV out of order announces when it is answered": {script: `
			S: 220 ready
			C: EPSV ALL
			S: 200 ok
			C: PASV
			S: 227 (10,0,0,5,10,0)
			C: EPRT |1|203.0.113.10|5000|
			S: 200 ok`,
			want: []string{"PASV 10.0.0.5:2560 sequence", "EPRT 203.0.113.10:5000 sequence"},
		},
		"either passive reply announces": {script: `
			S: 220 ready
			C: EPSV
			S: 227 Entering Passive Mode (192,0,2,20,137,175).
			C: PASV
			S: 229 Entering Extended Passive Mode (|||35241|)
			C: EPSV
			S: 200 what
			C: PASV
			S: 227 (192,0,2,20,10,0)
			S: 227 (192,0,2,20,10,1)
			S: 227 (192,0,2,20,10,2)`,
			want: []string{
				"PASV 192.0.2.20:35247", "EPSV invalid IP:35241", "PASV 192.0.2.20:2560",
				"PASV 192.0.2.20:2561", "PASV 192.0.2.20:2562 unasked",
			},
		},
		"a PORT that cannot be read awaits its reply": {script: `
			S: 220 ready
			C: PORT 1,2,3
			C: PASV
			S: 501 what
			S: 227 (10,0,0,5,10,0)`,
			want: []string{"PASV 10.0.0.5:2560"},
		},
		"nobody asked": {script: `
			S: 220 ready
			C: NOOP
			S: 227 (10,0,0,5,10,0)
			S: 229 (|||5000|)
			S: 227 no address`,
			want: []string{"PASV 10.0.0.5:2560 unasked", "EPSV invalid IP:5000 unasked"},
		},
		"from the middle on there is no greeting to wait for": {midway: true, script: `
			C: PASV
			S: 227 (10,0,0,5,10,0)`,
			want: []string{"PASV 10.0.0.5:2560"},
		},
		"the last command before a loss may yet be answered": {script: `
			S: 220 ready
			C: USER a
			S: 331 p
			C: PASV
			lost
			S: 227 (10,0,0,5,10,0)`,
			want: []string{"PASV 10.0.0.5:2560"},
		},
		"or was, when the client goes on": {script: `
			S: 220 ready
			C: TYPE I
			lost
			C: PASV
			S: 227 (10,0,0,5,10,0)`,
			want: []string{"PASV 10.0.0.5:2560"},
		},
		"a reply whose end was lost ends with the loss": {script: `
			S: 220 ready
			C: FEAT
			S: 211-Features
			lost
			C: PASV
			S: 227 (10,0,0,5,10,0)`,
			want: []string{"PASV 10.0.0.5:2560"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, observe(!test.midway, test.script)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
