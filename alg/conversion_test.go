package alg_test

import (
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/algtest"
	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
)

func converting(c dialogue.Convert) alg.Service {
	svc := fronting()
	svc.Policy.Convert = c
	return svc
}

// activeOverPassive has the client say PORT, and the server, which does not know
// EPSV, answer PASV.
func activeOverPassive(b *bench) (client, server *peer) {
	client, server = b.session()
	client.say("PORT 203,0,113,10,156,65", "RETR x")
	server.hears("EPSV")
	server.say("500-what is", "500 EPSV?")
	server.hears("PASV")
	server.say("227 (198,18,1,20,19,136)")
	client.hears("200 PORT command successful.")
	server.hears("RETR x")
	return client, server
}

func TestAnActiveClientsServerIsPassive(t *testing.T) {
	onBench(t, converting(dialogue.ConvertPassive), testSettings(), func(b *bench) {
		client, server := activeOverPassive(b)
		target := b.kernel.Waiting()
		if target.Mode != expect.PASV || target.Target.String() != "198.18.1.20:5000" || target.Seen.String() != "198.18.1.1" {
			t.Errorf("the server is reached by %v", target)
		}
		b.standing()
		server.say("150 here")
		client.hears("150 here")
		data := b.kernel.Waiting()
		if data.Mode != expect.PORT || data.Target.String() != "203.0.113.10:40001" || data.Seen.String() != "203.0.113.1" {
			t.Errorf("the client is reached by %v", data)
		}
		sends(t, target.Conn, data.Conn, "a whole file")
		data.Conn.Close()
		synctest.Wait()
		server.say("226 done")
		client.hears("226 done")
		synctest.Wait()
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21", "announced PORT replaced  after 0s",
			`transfer RETR "x" by "" as A over PORT, complete true after 0s, client 0 server 12 counted true`,
			"promise 1 PORT used")
	})
}

func TestWhatAServerDoesNotKnowIsRemembered(t *testing.T) {
	onBench(t, converting(dialogue.ConvertPassive), onePort(testSettings()), func(b *bench) {
		activeOverPassive(b)
		client, server := b.session()
		client.say("EPSV", "NOOP") // which need not wait
		server.hears("PASV")
		server.hears("NOOP")
		server.say("227 (198,18,1,20,19,136)", "200 ok")
		client.hears("229 Entering Extended Passive Mode (|||50000|)")
		client.hears("200 ok")
		time.Sleep(2 * time.Hour)
		client, server = b.session()
		client.say("PASV")
		server.hears("EPSV")
		server.say("229 (|||5000|)")
		client.hears("227 Entering Passive Mode (203,0,113,1,195,80).")
	})
}

func TestAServerThatKnowsNoPassiveModeSaysSo(t *testing.T) {
	onBench(t, converting(dialogue.ConvertPassive), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("PORT 203,0,113,10,156,65")
		server.hears("EPSV")
		server.say("502 no")
		server.hears("PASV")
		server.say("502 no either")
		client.hears("502 no either")
		client.say("PORT 203,0,113,11,156,65")
		client.hears("501 PORT to another host is refused.")
		client.say("EPSV ALL")
		client.hears("200 EPSV ALL ok.")
		client.say("PORT 203,0,113,10,156,65")
		client.hears("503 PORT is refused after EPSV ALL.")
		b.standing()
	})
}

func TestNobodyIsConnectedToForATransferThatFails(t *testing.T) {
	onBench(t, converting(dialogue.ConvertPassive), testSettings(), func(b *bench) {
		client, server := activeOverPassive(b)
		target := b.kernel.Waiting()
		server.say("550 no such file")
		client.hears("550 no such file")
		time.Sleep(time.Hour) // beyond the promise
		if _, err := target.Conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the connection to the server is not reset: %v", err)
		}
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21", "announced PORT replaced  after 0s",
			"promise 1 PORT expired", "ended 1 idle after 15m0s, 1 announced, 0 refused, 0 transfers")
	})
}

func TestAPassiveClientsServerIsActive(t *testing.T) {
	onBench(t, converting(dialogue.ConvertActive), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("PASV")
		server.hears("PORT 198,18,1,1,199,56")
		b.standing("session 1 PASV: 203.0.113.10 -> 203.0.113.1:50000 => invalid AddrPort as 198.18.1.1, relayed",
			"session 1 PORT: 198.18.1.20 -> 198.18.1.1:51000 => invalid AddrPort as 203.0.113.1, relayed")
		server.say("200-fine", "200 PORT it is")
		client.hears("227 Entering Passive Mode (203,0,113,1,195,80).")
		ports := b.kernel.Ports()
		data, err := ports[0].Arrive(dataHost)
		if err != nil {
			t.Fatal(err)
		}
		client.say("STOR x")
		server.hears("STOR x")
		stranger, err := ports[1].Arrive(netip.MustParseAddrPort("198.18.1.99:20"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := stranger.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("a stranger was let in: %v", err)
		}
		target, err := ports[1].Arrive(netip.MustParseAddrPort("198.18.1.20:20"))
		if err != nil {
			t.Fatal(err)
		}
		server.say("150 here")
		client.hears("150 here")
		sends(t, data, target, "up")
		target.Close()
		synctest.Wait()
		server.say("226 done")
		client.hears("226 done")
		synctest.Wait()
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21", "announced PASV replaced  after 0s",
			`transfer STOR "x" by "" as A over PASV, complete true after 0s, client 2 server 0 counted true`,
			"promise 1 PASV used")
		b.standing()
	})
}

func TestAServerThatRefusesActiveModeIsNotWaitedFor(t *testing.T) {
	onBench(t, converting(dialogue.ConvertActive), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("EPSV")
		server.hears("PORT 198,18,1,1,199,56")
		server.say("500 no")
		client.hears("500 no")
		b.standing()
	})
}

func TestAClientThatAsksAgainIsNotKeptWaitingForItsServer(t *testing.T) {
	onBench(t, converting(dialogue.ConvertActive), testSettings(), func(b *bench) {
		client, server := b.session()
		ask := func() *algtest.Conn {
			client.say("EPSV")
			server.next()
			server.say("200 ok")
			client.next()
			ports := b.kernel.Ports()
			data, err := ports[len(ports)-2].Arrive(dataHost)
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // it is taken
			return data
		}
		first := ask()
		ask()
		if _, err := first.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the first data connection goes on: %v", err)
		}
	})
}
