package alg_test

import (
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg"
)

// login has the client try a password, which the server refuses.
func failLogin(client, server *peer) {
	both(client, server, "USER joe", "331 and?")
	both(client, server, "PASS wrong", "530 Login incorrect.")
}

func TestAClientThatFailsToLogInTooOftenIsTurnedAwayForAWhile(t *testing.T) {
	s := testSettings()
	s.Rates = alg.Rates{FailedLogins: 2, Ban: 10 * time.Minute}
	onBench(t, fronting(), s, func(b *bench) {
		client, server := b.session()
		failLogin(client, server)
		failLogin(client, server)
		failLogin(client, server)
		client.hears("421 Too many failed logins from your address, try again later.")
		client.hearsEnd()
		server.hearsEnd()
		b.connect(clientHost, outside).hears("421 Too many failed logins from your address, try again later.")
		if bans := b.gateway.Bans(); len(bans) != 1 || bans[0].Client != clientHost || time.Until(bans[0].Until) != 10*time.Minute {
			t.Errorf("bans: %v", bans)
		}
		b.connect(netip.MustParseAddr("203.0.113.11"), outside) // is another
		b.kernel.Server()

		time.Sleep(10*time.Minute + time.Second)
		b.session()
		if bans := b.gateway.Bans(); len(bans) != 0 {
			t.Errorf("bans after their time: %v", bans)
		}
	})
}

func TestABanIsLifted(t *testing.T) {
	s := testSettings()
	s.Rates = alg.Rates{FailedLogins: 1, Ban: time.Hour}
	onBench(t, fronting(), s, func(b *bench) {
		client, server := b.session()
		failLogin(client, server)
		failLogin(client, server)
		client.hears("421 Too many failed logins from your address, try again later.")
		synctest.Wait()
		if !b.gateway.LiftBan(clientHost) || b.gateway.LiftBan(clientHost) {
			t.Error("a ban can be lifted once")
		}
		client, server = b.session()
		failLogin(client, server)
	})
}

func TestConnectionsAMinuteAreBounded(t *testing.T) {
	s := testSettings()
	s.Rates.Connections = 2
	onBench(t, fronting(), s, func(b *bench) {
		b.session()
		b.session()
		b.connect(clientHost, outside).hears("421 Too many connections from your address, try again later.")
		time.Sleep(31 * time.Second)
		b.session()
		b.connect(clientHost, outside).hears("421 Too many connections from your address, try again later.")
	})
}

func TestPromisesAMinuteAreBounded(t *testing.T) {
	s := testSettings()
	s.Rates.Promises = 2
	onBench(t, fronting(), s, func(b *bench) {
		client, server := b.session()
		for i, want := range []string{"227 ", "227 ", "425 Your address asks for too many data connections"} {
			client.say("PASV")
			server.hears("PASV")
			server.say("227 (198,18,1,20,19,136)")
			if line, err := client.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, want) {
				t.Errorf("PASV %d: the client heard %q, %v; want %q", i+1, line, err, want)
			}
		}
	})
}
