package alg_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
)

// onePort makes the told port certain.
func onePort(s alg.Settings) alg.Settings {
	s.PassivePorts, s.ActivePorts = nat.Range{Low: 50000, High: 50000}, nat.Range{Low: 51000, High: 51000}
	return s
}

func TestPassiveIsPromisedBeforeItIsTold(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("PASV")
		server.hears("PASV")
		b.standing()
		server.say("227 Entering Passive Mode (10,0,0,1,19,136).")
		client.hears("227 Entering Passive Mode (203,0,113,1,195,80).")
		b.standing("session 1 PASV: 203.0.113.10 -> 203.0.113.1:50000 => 198.18.1.20:5000 as 198.18.1.1")
		client.say("RETR x")
		server.hears("RETR x")
		server.say("150 opening")
		client.hears("150 opening")
		server.say("226 done")
		client.hears("226 done")
		b.standing()
	})
}

func TestActiveIsPromisedBeforeItIsTold(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("PORT 203,0,113,10,195,81")
		server.hears("PORT 198,18,1,1,199,56")
		b.standing("session 1 PORT: 198.18.1.20 -> 198.18.1.1:51000 => 203.0.113.10:50001 as 203.0.113.1")
		server.say("200 ok")
		client.hears("200 ok")
		client.say("EPSV")
		server.hears("EPSV")
		server.say("229 ok (|||5000|)")
		client.hears("229 ok (|||50000|)")
		b.standing("session 1 EPSV: 203.0.113.10 -> 203.0.113.1:50000 => 198.18.1.20:5000 as 198.18.1.1")
	})
}

func TestSourceClientKeepsTheClientsAddressAndPorts(t *testing.T) {
	svc := fronting()
	svc.Source.Client = true
	onBench(t, svc, onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("PORT 203,0,113,10,195,81")
		server.hears("PORT 203,0,113,10,195,81")
		b.standing("session 1 PORT: 198.18.1.20 -> 203.0.113.10:50001 as 203.0.113.1")
		if d := b.kernel.Dials()[0]; d.Source != clientHost || d.Session != 1 || d.Client == nil {
			t.Errorf("dialed %+v, want the client's address", d)
		}
	})
}

func TestTransparentLeavesTheServersAddressAndPort(t *testing.T) {
	onBench(t, alg.Service{Name: "lan"}, onePort(testSettings()), func(b *bench) {
		far := netip.MustParseAddrPort("192.0.2.20:21")
		client := b.connect(netip.MustParseAddr("198.18.0.10"), far)
		server := newPeer(t, "server", b.kernel.Server())
		server.say("220 ready")
		client.hears("220 ready")
		client.say("PASV", "PORT 198,18,0,10,195,81")
		server.hears("PASV")
		server.say("227 (192,168,1,1,19,136)")
		client.hears("227 (192,0,2,20,19,136)")
		server.hears("PORT 198,18,1,1,199,56")
		b.standing(
			"session 1 PORT: 192.0.2.20 -> 198.18.1.1:51000 => 198.18.0.10:50001",
			"session 1 PASV: 198.18.0.10 -> 192.0.2.20:5000 as 198.18.1.1",
		)
	})
}

func TestOuterNATIsTold(t *testing.T) {
	s := onePort(testSettings())
	public := netip.MustParseAddr("192.0.2.80")
	s.NAT = nat.Table{{Local: outside.Addr(), Public: public, Except: []netip.Prefix{netip.MustParsePrefix("198.18.0.0/15")}}}
	onBench(t, fronting(), s, func(b *bench) {
		client, server := b.session()
		client.say("PASV")
		server.hears("PASV")
		server.say("227 (198,18,1,20,19,136)")
		client.hears("227 (192,0,2,80,195,80)")
		b.standing("session 1 PASV: 203.0.113.10 -> 203.0.113.1:50000 => 198.18.1.20:5000 as 198.18.1.1")
	})
}

func TestNothingIsToldThatCouldNotBeOpened(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		b.kernel.FailOpen = func(expect.Expectation) error { return errors.New("no") }
		client, server := b.session()
		client.say("PORT 203,0,113,10,195,81")
		client.hears("425 The data connection cannot be opened at the gateway.")
		server.hearsNothing()
		client.say("PASV")
		server.hears("PASV")
		server.say("227 (198,18,1,20,19,136)")
		client.hears("425 The data connection cannot be opened at the gateway.")
		b.kernel.FailOpen = nil
		client.say("PORT 203,0,113,10,195,81")
		if line, err := server.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "PORT 198,18,1,1,199,") {
			t.Errorf("the server heard %q, %v", line, err)
		}
	})
}

func TestNoFreePortIs425AndRecovers(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		ask := func(c, s *peer, want string) {
			t.Helper()
			c.say("PASV")
			s.hears("PASV")
			s.say("227 (198,18,1,20,19,136)")
			c.hears(want)
		}
		ask(client, server, "227 (203,0,113,1,195,80)")
		client2, server2 := b.session()
		ask(client2, server2, "425 No data port is free, try again later.")
		client.Close()
		server.hearsEnd()
		server.Close()
		synctest.Wait()
		ask(client2, server2, "227 (203,0,113,1,195,80)")
	})
}

func TestPromiseEndsAtItsTime(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("EPSV")
		server.hears("EPSV")
		server.say("229 (|||5000|)")
		client.hears("229 (|||50000|)")
		time.Sleep(59 * time.Second)
		if len(b.kernel.Standing()) != 1 {
			t.Error("the promise ended early")
		}
		time.Sleep(2 * time.Second)
		b.standing()
		if got := b.gateway.Pinholes(); len(got) != 0 {
			t.Errorf("still listed: %v", got)
		}
	})
}

func TestEndOfSessionEndsItsPromises(t *testing.T) {
	for name, end := range map[string]func(client, server *peer){
		"client closes":               func(c, s *peer) { c.Close(); s.hearsEnd(); s.Close() },
		"client resets":               func(c, s *peer) { c.Abort(); s.hearsEnd() },
		"server closes":               func(c, s *peer) { s.Close(); c.hearsEnd(); c.Close() },
		"server resets":               func(c, s *peer) { s.Abort(); c.hearsEnd() },
		"server closes, client stays": func(c, s *peer) { s.Close(); c.hearsEnd(); time.Sleep(time.Minute) },
		"both stay silent":            func(c, s *peer) { time.Sleep(time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			s := onePort(testSettings())
			s.PinholeTimeout = 2 * time.Hour
			onBench(t, fronting(), s, func(b *bench) {
				client, server := b.session()
				client.say("PORT 203,0,113,10,195,81")
				server.hears("PORT 198,18,1,1,199,56")
				if len(b.kernel.Standing()) != 1 {
					t.Fatal("nothing was promised")
				}
				end(client, server)
				synctest.Wait()
				b.standing()
				if left := b.gateway.Sessions(); len(left) != 0 {
					t.Errorf("the session is left: %+v", left)
				}
			})
		})
	}
}

func TestByteByByteEqualsWhole(t *testing.T) {
	dialogue := "USER a\r\nPASS b\r\nNOOP\r\nPORT 203,0,113,10,195,81\r\nRETR x\r\nPORT 203,0,114,10,195,81\r\nEPSV\r\nQUIT\r\n"
	want := "USER a\r\nPASS b\r\nNOOP\r\nPORT 198,18,1,1,199,56\r\nRETR x\r\nEPSV\r\nQUIT\r\n"
	for _, size := range []int{1, 2, 3, 7, len(dialogue)} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
				client, server := b.session()
				for at := 0; at < len(dialogue); at += size {
					client.Write([]byte(dialogue[at:min(at+size, len(dialogue))]))
					synctest.Wait()
				}
				got := make([]byte, len(want))
				for n := 0; n < len(want); {
					k, err := server.r.Read(got[n:])
					if err != nil {
						t.Fatalf("after %q: %v", got[:n], err)
					}
					n += k
				}
				if string(got) != want {
					t.Errorf("the server heard %q, want %q", got, want)
				}
				server.hearsNothing()
				server.say("1", "331 u", "230 p", "200 n", "200 port", "150 r", "226 r")
				for _, l := range []string{"1", "331 u", "230 p", "200 n", "200 port", "150 r", "226 r", "501 PORT to another host is refused."} {
					client.hears(l)
				}
			})
		})
	}
}

func TestAnyNumberOfCommandsMayBeInFlight(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		const many = 5000
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range many {
				client.Write([]byte("NOOP\r\n"))
			}
		}()
		for range many {
			server.hears("NOOP")
			server.say("200 ok")
			client.hears("200 ok")
		}
		<-done
	})
}

func TestNothingPassesBeforeTheGreeting(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client := b.connect(clientHost, outside)
		server := newPeer(t, "server", b.kernel.Server())
		client.say("USER a", "PASS b")
		server.hearsNothing()
		server.say("220-hello", "220 ready")
		server.hears("USER a")
		server.hears("PASS b")
	})
}

func TestClientThatLeavesBeforeTheGreetingIsNoticed(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client := b.connect(clientHost, outside)
		server := newPeer(t, "server", b.kernel.Server())
		client.Abort()
		server.hearsEnd()
	})
}

func TestAuthHoldsTheClientUntilTheServerHasAnswered(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("AUTH TLS", "PORT 203,0,113,10,195,81")
		server.hears("AUTH TLS")
		server.hearsNothing()
		server.say("502 no")
		client.hears("502 no")
		if line, err := server.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "PORT 198,18,1,1,") {
			t.Errorf("the server heard %q, %v", line, err)
		}
	})
}

func TestAcceptedAuthMakesTheSessionOpaque(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("AUTH TLS", "PORT 203,0,113,10,195,81")
		server.hears("AUTH TLS")
		server.say("234 go", "227 (198,18,1,20,19,136)")
		client.hears("234 go")
		client.hears("227 (198,18,1,20,19,136)")
		server.hears("PORT 203,0,113,10,195,81")
		b.standing()
		client.Write([]byte("\x16\x03\x01\x00\xff"))
		synctest.Wait()
		got := make([]byte, 5)
		if _, err := server.r.Read(got); err != nil || string(got) != "\x16\x03\x01\x00\xff" {
			t.Errorf("the server heard %q, %v", got, err)
		}
		if i := b.gateway.Sessions()[0]; i.State != "opaque" {
			t.Errorf("state is %q, want opaque", i.State)
		}
		time.Sleep(time.Hour) // longer than idle_timeout: transfers cannot be seen
		client.CloseWrite()
		server.hearsEnd()
	})
}

func TestHalfCloseIsPassedOn(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("QUIT")
		client.CloseWrite()
		server.hears("QUIT")
		server.hearsEnd()
		server.say("221 bye")
		client.hears("221 bye")
		server.Close()
		client.hearsEnd()
	})
}
