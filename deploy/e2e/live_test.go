package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab/ftp"
)

// detail is what `ftpalg session N --json` prints, as far as these tests read
// it.
type detail struct {
	Session     uint64
	User, State string
	Transfer    struct{ Command, File string }
	FromServer  uint64 `json:"from_server"`
	Dialogue    []spoken
	Data        []struct {
		Mode, State, File string
		FromServer        uint64 `json:"from_server"`
		Counted           bool
	}
}

// spoken is one line of a dialogue.
type spoken struct{ From, Text, Told string }

func (g *gateway) session(t *testing.T, number string) (d detail) {
	t.Helper()
	out, err := g.ask("session", number, "--json")
	try(t, err)
	try(t, json.Unmarshal([]byte(out), &d))
	return d
}

// A session is seen while it transfers, by its file, its bytes and its
// dialogue, and ends by kill with all that belongs to it.
func TestASessionIsSeenAndKilledInATransfer(t *testing.T) {
	const some = 4 << 20
	for _, m := range []ftp.Mode{ftp.PASV, ftp.PORT} {
		t.Run(string(m), func(t *testing.T) {
			t.Parallel()
			s, g := sceneWithBigFile(t)
			_, err := run(t, s.Gateway, "sysctl", "-w", "net.netfilter.nf_conntrack_acct=1")
			try(t, err)
			c := s.connect(t)
			data, err := c.Open(m, "RETR pub/big")
			try(t, err)
			_, err = io.CopyN(io.Discard, data, some)
			try(t, err)
			number := strconv.FormatUint(g.sessions(t)[0].Session, 10)
			within(t, waitTimeout, "the bytes are counted", func() error {
				// A relay counts a piece when it has passed on the whole of it, which
				// it cannot while nobody reads.
				if _, err := io.CopyN(io.Discard, data, 256<<10); err != nil {
					return err
				}
				if d := g.session(t, number); d.FromServer < some {
					return fmt.Errorf("%+v", d)
				}
				return nil
			})
			g.session(t, number).shows(t, m)
			g.tells(t, number)
			_, err = g.ask("kill", number)
			try(t, err)
			wants(t, c, 421)
			ends(t, data)
			g.closedAgain(t)
			g.forgets(t)
			if out, err := g.ask("kill", number); err == nil || !strings.Contains(out, "there is no session "+number) {
				t.Errorf("the second kill: %v: %s", err, out)
			}
		})
	}
}

// shows holds that the session in the middle of its transfer is shown as what
// it is.
func (d detail) shows(t *testing.T, m ftp.Mode) {
	t.Helper()
	if d.User != "anonymous" || d.State != "readable" || d.Transfer.Command != "RETR" || d.Transfer.File != "pub/big" {
		t.Errorf("the session is %+v", d)
	}
	if len(d.Data) != 1 || d.Data[0].Mode != string(m) || d.Data[0].State != "connected" || d.Data[0].File != "pub/big" || !d.Data[0].Counted {
		t.Errorf("the data connections are %+v", d.Data)
	}
	told := slices.ContainsFunc(d.Dialogue, func(l spoken) bool {
		return l.Told != "" && (l.Told == l.Text) == (m == ftp.PORT) // the client's address is kept
	})
	if !told {
		t.Errorf("the dialogue is %+v", d.Dialogue)
	}
}

// tells holds that people can read it too.
func (g *gateway) tells(t *testing.T, number string) {
	t.Helper()
	for command, want := range map[string]string{
		"session " + number: "data connections\n  1 ", "sessions": "readable, RETR pub/big", "top -n 1": "RETR pub/big",
	} {
		out, err := g.ask(strings.Fields(command)...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %v: %s", command, err, out)
		}
	}
}

// ends holds that a data connection that nobody read ends before its file
// does.
func ends(t *testing.T, c net.Conn) {
	t.Helper()
	try(t, c.SetReadDeadline(time.Now().Add(waitTimeout)))
	n, err := io.Copy(io.Discard, c)
	if n >= bigSize/2 {
		t.Errorf("%d bytes came after the kill, %v", n, err)
	}
	_ = c.Close() // it has ended
}
