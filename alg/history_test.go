package alg_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg"
)

// told renders a dialogue as a reader would note it.
func told(lines []alg.Line) string {
	var b strings.Builder
	for _, l := range lines {
		fmt.Fprintf(&b, "%s: %s", l.From, l.Text)
		if l.Told != "" {
			fmt.Fprintf(&b, " => %s (%d)", l.Told, l.Pinhole)
		}
		if l.Refused != "" {
			fmt.Fprintf(&b, " !%s", l.Refused)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestASessionTellsItsDialogue(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		began := time.Now()
		both(client, server, "USER joe", "331 and?")
		time.Sleep(1500 * time.Millisecond)
		both(client, server, "pass  my secret", "230 in")
		passive(client, server)
		client.say("PORT 192,0,2,1,195,81")
		client.hears("501 PORT to another host is refused.")
		both(client, server, "RETR a/b", "150 here")
		b.gateway.Connected(1)
		synctest.Wait()
		d, ok := b.gateway.Session(1)
		if !ok {
			t.Fatal("there is no session 1")
		}
		const want = `server: 220 ready
client: USER joe
server: 331 and?
client: pass ****
server: 230 in
client: PASV
server: 227 (198,18,1,20,19,136) => 227 (203,0,113,1,195,80) (1)
client: PORT 192,0,2,1,195,81 !third_party
gateway: 501 PORT to another host is refused.
client: RETR a/b
server: 150 here
`
		if got := told(d.Dialogue); got != want {
			t.Errorf("the dialogue is\n%swant\n%s", got, want)
		}
		if at := d.Dialogue[3].At.Sub(began); at != 1500*time.Millisecond {
			t.Errorf("the password came after %s", at)
		}
		if d.User != "joe" || d.Transfer == nil || d.Transfer.File != "a/b" {
			t.Errorf("the session is %+v", d.SessionInfo)
		}
		if c := d.Data; len(c) != 1 || c[0].State != alg.DataConnected || c[0].File != "a/b" || c[0].Target.Port() != 5000 {
			t.Errorf("the data connections are %+v", c)
		}
	})
}

func TestNoPartOfAPasswordIsTold(t *testing.T) {
	s := testSettings()
	s.CommandLine = 64
	onBench(t, fronting(), s, func(b *bench) {
		client, server := b.session()
		secret := strings.Repeat("secret", 100)
		for _, line := range []string{"PASS " + secret, "PASS secret\x00", "ACCT secret", "\xff\xf4PASS secret", "  pass secret"} {
			client.say(line)
			synctest.Wait()
		}
		server.hears("ACCT secret")
		d, _ := b.gateway.Session(1)
		if got := told(d.Dialogue); strings.Contains(got, "secret") {
			t.Errorf("the dialogue is\n%s", got)
		}
	})
}

func TestOnlyTheEndOfALongDialogueIsKept(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		long := strings.Repeat("x", 1000)
		for i := range 100 {
			both(client, server, fmt.Sprintf("SIZE %d %s", i, long), "213 0")
		}
		d, _ := b.gateway.Session(1)
		size := 0
		for _, l := range d.Dialogue {
			size += len(l.Text)
		}
		if size < 1000 || size > 2048 {
			t.Errorf("%d bytes are kept", size)
		}
		last := d.Dialogue[len(d.Dialogue)-2]
		if want := "SIZE 99 " + long; last.Text != want[:255] {
			t.Errorf("the last command is %q", last.Text)
		}
	})
}

func TestKillEndsASessionWithAWord(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		passive(client, server)
		if b.gateway.Kill(2) {
			t.Error("a session that is not there was killed")
		}
		if !b.gateway.Kill(1) {
			t.Error("the session was not found")
		}
		client.hears("421 The operator has ended this session.")
		client.hearsEnd()
		server.hearsEnd()
		b.standing()
		if _, ok := b.gateway.Session(1); ok {
			t.Error("the session is still there")
		}
	})
}
