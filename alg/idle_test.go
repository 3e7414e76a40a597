package alg_test

import (
	"testing"
	"time"
)

// A client that has hung up comes back soon: what its silent server holds may
// not stand in its way.
func TestSilentServerEndsSoonOnceItsClientHasHungUp(t *testing.T) {
	for name, before := range map[string]func(client, server *peer){
		"nothing asked":   func(client, server *peer) {},
		"a reply is due":  func(client, server *peer) { client.say("NOOP"); server.hears("NOOP") },
		"a port is taken": passive,
		"a command waits": func(client, server *peer) { client.say("EPSV", "NOOP"); server.hears("EPSV") },
		"a transfer without data": func(client, server *peer) {
			passive(client, server)
			both(client, server, "RETR x", "150 here")
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
				client, server := b.session()
				before(client, server)
				client.CloseWrite()
				time.Sleep(10 * time.Second)
				if len(b.gateway.Sessions()) != 1 {
					t.Error("the server had less than ten seconds")
				}
				time.Sleep(20 * time.Second)
				if n := len(b.gateway.Sessions()); n != 0 {
					t.Errorf("%d sessions after 30 s", n)
				}
				b.standing()
			})
		})
	}
}

func TestSlowServerMayAnswerAClientThatHasHungUp(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("NOOP", "NOOP", "QUIT")
		client.CloseWrite()
		for _, reply := range []string{"200 one", "200 two", "221 bye"} {
			time.Sleep(15 * time.Second)
			server.say(reply)
			client.hears(reply)
		}
	})
}

func TestTransferGoesOnAfterItsClientHasHungUpWhileDataFlows(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		passive(client, server)
		both(client, server, "RETR x", "150 here")
		b.gateway.Connected(1)
		client.CloseWrite()
		for n := range uint64(12) {
			time.Sleep(10 * time.Second)
			b.gateway.Carried(1, 52, 1000*(n+1))
		}
		if len(b.gateway.Sessions()) != 1 {
			t.Error("a transfer was cut that ran")
		}
		time.Sleep(30 * time.Second)
		if n := len(b.gateway.Sessions()); n != 0 {
			t.Errorf("%d sessions 30 s after the data stood still", n)
		}
	})
}

// Where the kernel does not count nobody knows whether data flows.
func TestUncountedTransferHasTheIdleTimeoutAfterItsClientHasHungUp(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		passive(client, server)
		both(client, server, "RETR x", "150 here")
		b.gateway.Connected(1)
		client.CloseWrite()
		time.Sleep(14 * time.Minute)
		if len(b.gateway.Sessions()) != 1 {
			t.Error("a transfer was cut that may have run")
		}
		time.Sleep(2 * time.Minute)
		if n := len(b.gateway.Sessions()); n != 0 {
			t.Errorf("%d sessions after the idle timeout", n)
		}
	})
}
