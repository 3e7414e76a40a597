package alg_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A server that answers "RETR, ABOR" with one reply, as the dialogue expects
// of some, must not shift every reply that follows.
func TestOneReplyForAbortDoesNotShiftWhatFollows(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		ask := func(c, s string) {
			t.Helper()
			client.say(c)
			server.hears(c)
			server.say(s)
		}
		for range 2 {
			ask("PASV", "227 (198,18,1,20,19,136)")
			client.hears("227 (203,0,113,1,195,80)")
			ask("RETR a", "150 a")
			client.hears("150 a")
			ask("ABOR", "226 aborted")
			client.hears("226 aborted")
			ask("PASV", "227 (198,18,1,20,19,137)")
			client.hears("227 (203,0,113,1,195,80)")
			ask("RETR a", "150 a")
			client.hears("150 a")
			server.say("226 done")
			client.hears("226 done")
			ask("NOOP", "200 ok")
			client.hears("200 ok")
		}
	})
}

// After such an abort a refusal of the gateway's own must still come.
func TestRefusalAfterAbortIsNotHeldBack(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("RETR a")
		server.hears("RETR a")
		server.say("150 a")
		client.hears("150 a")
		client.say("ABOR")
		server.hears("ABOR")
		server.say("226 aborted")
		client.hears("226 aborted")
		client.say("PASV")
		server.hears("PASV")
		server.say("227 (198,18,1,20,19,137)")
		client.hears("227 (203,0,113,1,195,80)")
		client.say("PORT 1,2,3,4,5,6")
		client.hears("501 PORT to another host is refused.")
	})
}

// The port of a transfer that takes longer than pinhole_timeout is in use.
func TestPortOfARunningTransferIsNotPromisedAgain(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("PORT 203,0,113,10,195,81")
		server.hears("PORT 198,18,1,1,199,56")
		server.say("200 ok")
		client.hears("200 ok")
		client.say("RETR a")
		server.hears("RETR a")
		server.say("150 a")
		client.hears("150 a")
		time.Sleep(5 * time.Minute) // the transfer goes on
		client2, server2 := b.session()
		client2.say("PORT 203,0,113,10,195,82")
		client2.hears("425 No data port is free, try again later.")
		_ = server2
	})
}

// A hung server in the middle of a transfer must not keep a session for ever
// whose client has gone.
func TestClientGoneAndServerHungEnds(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("RETR a")
		server.hears("RETR a")
		server.say("150 a")
		client.hears("150 a")
		client.Close()
		time.Sleep(48 * time.Hour)
		if n := len(b.gateway.Sessions()); n != 0 {
			t.Errorf("two days later %d session is left: %+v", n, b.gateway.Sessions())
		}
	})
}

// Our own answer must not fall into a reply line that is not at its end.
func TestAnswerDoesNotFallIntoALongReplyLine(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("NOOP", "PORT 1,2,3,4,5,6")
		server.hears("NOOP")
		long := "200 " + strings.Repeat("y", 5000)
		server.say(long)
		client.hears(long)
		client.hears("501 PORT to another host is refused.")
	})
}

// A TLS ClientHello has NUL bytes: it is another protocol all the same.
func TestClientHelloIsAnotherProtocol(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\x0a\r\nPORT 203,0,113,10,195,81\r\n"))
		client.hears("500 This is FTP.")
		client.hearsEnd()
		server.hearsEnd()
	})
}

// A file name in CP1251 holds 0xFF, which is the letter ya there.
func TestByte255InAPathPasses(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("CWD \xc4\xe0\xff")
		server.hears("CWD \xc4\xe0\xff")
	})
}

// The farewell falls behind what the server has begun to say, or not at all.
func TestFarewellDoesNotFallIntoALine(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		server.Write([]byte("200 " + strings.Repeat("y", 5000)))
		synctest.Wait()
		go b.gateway.Drain(t.Context())
		line, _ := client.r.ReadString('\n')
		if strings.Contains(line, "421 ") {
			t.Errorf("the client heard %q", line[len(line)-50:])
		}
	})
}

// ABOR closes the data connection and its port (RFC 959 section 4.1.3).
func TestAbortEndsThePromise(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("PASV")
		server.hears("PASV")
		server.say("227 (198,18,1,20,19,136)")
		client.hears("227 (203,0,113,1,195,80)")
		client.say("ABOR")
		server.hears("ABOR")
		server.say("226 closed")
		client.hears("226 closed")
		b.standing()
	})
}

// A transfer that has begun and failed has used its data connection.
func TestFailedTransferEndsThePromise(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("PASV")
		server.hears("PASV")
		server.say("227 (198,18,1,20,19,136)")
		client.hears("227 (203,0,113,1,195,80)")
		client.say("RETR a")
		server.hears("RETR a")
		server.say("150 a", "426 broken")
		client.hears("150 a")
		client.hears("426 broken")
		b.standing()
	})
}

// A banner of any length passes, and what follows it is understood.
func TestBannerOfAHundredKilobytesPasses(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client := b.connect(clientHost, outside)
		server := newPeer(t, "server", b.kernel.Server())
		line := "220-" + strings.Repeat("-", 70)
		const lines = 1400
		go func() {
			for range lines {
				server.Write([]byte(line + "\r\n"))
			}
			server.Write([]byte("220 ready\r\n"))
		}()
		for range lines {
			client.hears(line)
		}
		client.hears("220 ready")
		passive(client, server)
	})
}
