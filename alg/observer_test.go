package alg_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
)

// watcher writes down what an Observer is told, one line for each event.
type watcher struct {
	mu   sync.Mutex
	told []string
}

func (w *watcher) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, fmt.Sprintf(format, args...))
}

func (w *watcher) observer() alg.Observer {
	return alg.Observer{
		Began: func(s alg.SessionInfo) { w.note("began %d %s -> %s", s.Session, s.Client, s.Server) },
		Ended: func(s alg.SessionInfo, o alg.Outcome, d time.Duration) {
			w.note("ended %d %s after %s, %d announced, %d refused, %d transfers", s.Session, o, d, s.Announced, s.Refused, s.Transfers)
		},
		Rejected: func(listener string, client netip.AddrPort, why alg.Rejection) {
			w.note("turned away from %s: %s", listener, why)
		},
		Refused: func(r alg.Refusal) { w.note("refused %s: %s", r.Verb, r.Reason) },
		Announced: func(a alg.Announced) {
			w.note("announced %s %s %s after %s", a.Mode, a.Result, a.Cause, a.Opening)
		},
		PinholeEnded: func(e alg.PinholeEnd) { w.note("promise %d %s %s", e.Pinhole, e.Mode, e.End) },
		Opaque:       func(_ uint64, passed bool) { w.note("opaque, passed %v", passed) },
		TransferEnded: func(t alg.Transfer) {
			w.note("transfer %s %q by %q as %c over %s, complete %v after %s, client %d server %d counted %v",
				t.Verb, t.Name, t.User, t.Form, t.Mode, t.Complete, t.Duration, t.Traffic.FromClient, t.Traffic.FromServer, t.Traffic.Counted)
		},
	}
}

// saw fails unless exactly these events were told since the last call.
func (w *watcher) saw(t *testing.T, want ...string) {
	t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Equal(w.told, want) {
		t.Fatalf("told\n\t%s\nwant\n\t%s", strings.Join(w.told, "\n\t"), strings.Join(want, "\n\t"))
	}
	w.told = nil
}

// passive has the session promise a data connection.
func passive(client, server *peer) {
	client.say("PASV")
	server.hears("PASV")
	server.say("227 (198,18,1,20,19,136)")
	client.hears("227 (203,0,113,1,195,80)")
}

// both has the client say a command and the server answer it.
func both(client, server *peer, command, reply string) {
	client.say(command)
	server.hears(command)
	server.say(reply)
	client.hears(reply)
}

func TestATransferIsReportedOnceWithTheKernelsCount(t *testing.T) {
	const began = "began 1 203.0.113.10:60001 -> 198.18.1.20:21"
	const announced = "announced PASV replaced  after 0s"
	report := func(how string) string {
		return `transfer RETR "a file.txt" by "joe" as I over PASV, complete true after 3s, ` + how
	}
	for name, c := range map[string]struct {
		tell func(g *alg.Gateway, id expect.ID) // after the 226
		want string
	}{
		"the count comes later": {func(g *alg.Gateway, id expect.ID) {
			time.Sleep(400 * time.Millisecond)
			g.Disconnected(id, 52, 1000052, true)
			g.Disconnected(id, 52, 1000052, true)
		}, report("client 52 server 1000052 counted true")},
		"the end was missed": {func(g *alg.Gateway, id expect.ID) {
			g.Disconnected(id, 0, 0, false)
		}, report("client 52 server 500052 counted true")},
		"the kernel says nothing": {func(*alg.Gateway, expect.ID) {
			time.Sleep(3 * time.Second)
		}, report("client 52 server 500052 counted true")},
	} {
		t.Run(name, func(t *testing.T) {
			onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
				client, server := b.session()
				both(client, server, "USER joe", "331 and?")
				both(client, server, "TYPE I", "200 ok")
				passive(client, server)
				b.watcher.saw(t, began, announced)
				both(client, server, "RETR a file.txt", "150 here")
				b.gateway.Connected(1)
				b.gateway.Carried(1, 52, 500052)
				if c := b.gateway.Counters(); c.FromClient != 52 || c.FromServer != 500052 {
					t.Errorf("during the transfer %+v is counted", c.Traffic)
				}
				time.Sleep(3 * time.Second)
				server.say("226 done")
				client.hears("226 done")
				b.watcher.saw(t, "promise 1 PASV used")
				c.tell(b.gateway, 1)
				b.watcher.saw(t, c.want)
				time.Sleep(time.Minute)
				b.watcher.saw(t)
			})
		})
	}
}

func TestACountThatCameFirstIsNotWaitedFor(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		client.say("PORT 203,0,113,10,195,81")
		server.hears("PORT 198,18,1,1,199,56")
		server.say("200 ok")
		client.hears("200 ok")
		both(client, server, "STOR x", "150 here")
		b.gateway.Connected(1)
		b.gateway.Disconnected(1, 60, 5060, true)
		server.say("426 broken")
		client.hears("426 broken")
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21", "announced PORT replaced  after 0s",
			`transfer STOR "x" by "" as A over PORT, complete false after 0s, client 5060 server 60 counted true`,
			"promise 1 PORT used")
		if c := b.gateway.Counters(); c.FromClient != 5060 || c.FromServer != 60 || c.ClientLines != 2 || c.ServerLines != 4 {
			t.Errorf("counted %+v", c)
		}
	})
}

func TestACountAfterTheSessionsEndIsStillJoined(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		passive(client, server)
		both(client, server, "RETR x", "150 here")
		b.gateway.Connected(1)
		server.say("226 done", "221 bye")
		server.Close()
		client.hears("226 done")
		client.hears("221 bye")
		client.hearsEnd()
		client.Close()
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21", "announced PASV replaced  after 0s",
			"promise 1 PASV used", "ended 1 closed after 0s, 1 announced, 0 refused, 1 transfers")
		b.gateway.Disconnected(1, 1, 2, true)
		b.watcher.saw(t, `transfer RETR "x" by "" as A over PASV, complete true after 0s, client 1 server 2 counted true`)
		if c := b.gateway.Counters(); c.ServerLines != 5 {
			t.Errorf("after the session's end %d lines of the server are counted, want 5", c.ServerLines)
		}
	})
}

func TestATransferThatTheServerForgotToEndIsIncomplete(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		both(client, server, "RETR x", "150 here")
		server.Abort()
		client.hearsEnd()
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21",
			`transfer RETR "x" by "" as A over Mode(0), complete false after 0s, client 0 server 0 counted false`,
			"ended 1 error after 0s, 0 announced, 0 refused, 1 transfers")
	})
}

func TestPromisesEndInOneWay(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		ask := func() {
			client.say("EPSV")
			server.hears("EPSV")
			server.say("229 (|||5000|)")
			if _, err := client.r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		ask()
		ask()
		time.Sleep(2 * time.Minute)
		ask()
		b.gateway.Connected(3)
		ask()
		b.kernel.FailOpen = func(expect.Expectation) error { return errors.New("no") }
		ask()
		ask()
		b.kernel.FailOpen = nil
		client.say("PORT 203,0,113,10,195,81")
		if _, err := server.r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		server.say("500 no")
		client.hears("500 no")
		const announced = "announced EPSV replaced  after 0s"
		const failed = "announced EPSV refused kernel after 0s"
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21",
			announced, "promise 1 EPSV replaced", announced, "promise 2 EPSV expired", announced,
			"promise 3 EPSV used", announced, "promise 4 EPSV replaced", "promise 5 EPSV failed", failed,
			"promise 6 EPSV failed", failed, "announced PORT replaced  after 0s", "promise 7 PORT closed")
	})
}

func TestAnAttemptThatFailedIsNoUse(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		passive(client, server)
		b.gateway.Connected(1)
		b.gateway.Carried(1, 60, 40)
		b.gateway.Reopened(1)
		if d, ok := b.gateway.Data(1); !ok || d.State != alg.DataOpen || d.Counted {
			t.Errorf("the data connection is %+v, %v", d, ok)
		}
		b.gateway.Connected(1)
		b.gateway.Carried(1, 52, 30)
		if c := b.gateway.Counters(); c.FromClient != 112 || c.FromServer != 70 {
			t.Errorf("both attempts carried %+v", c.Traffic)
		}
		b.gateway.Reopened(1)
		time.Sleep(2 * time.Minute)
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21", "announced PASV replaced  after 0s", "promise 1 PASV expired")
		if d, ok := b.gateway.Data(1); ok {
			t.Errorf("it is still remembered: %+v", d)
		}
	})
}

func TestNothingIsRememberedOfWhatTheKernelTakesBack(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		passive(client, server)
		b.gateway.Connected(1)
		time.Sleep(2 * time.Minute)
		b.gateway.Reopened(1)
		if d, ok := b.gateway.Data(1); ok {
			t.Errorf("it is still remembered: %+v", d)
		}
	})
}

func TestRefusalsAreTold(t *testing.T) {
	svc := fronting()
	svc.Policy.TLS = dialogue.RefuseTLS
	s := onePort(testSettings())
	s.SessionsPerClient = 1
	onBench(t, svc, s, func(b *bench) {
		client, _ := b.session()
		client.say("PORT 192,0,2,1,195,81", "AUTH TLS")
		client.hears("501 PORT to another host is refused.")
		client.hears("534 Encryption is not allowed here.")
		b.connect(clientHost, outside).hears("421 Too many sessions from your address, try again later.")
		b.watcher.saw(t, "began 1 203.0.113.10:60001 -> 198.18.1.20:21",
			"refused PORT: third_party", "refused AUTH: policy", "opaque, passed false", "turned away from legacy: client_limit")
	})
}

func TestPortsAreCounted(t *testing.T) {
	onBench(t, fronting(), testSettings(), func(b *bench) {
		client, server := b.session()
		client.say("PORT 203,0,113,10,195,81")
		if _, err := server.r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		if p := b.gateway.Ports(); p.Active.Leased != 1 || p.Active.Free != 99 || p.Passive.Free != 100 {
			t.Errorf("the ports are %+v", p)
		}
		server.say("500 no")
		client.hears("500 no")
		if p := b.gateway.Ports(); p.Active.Leased != 0 || p.Active.Resting != 1 {
			t.Errorf("afterwards the ports are %+v", p)
		}
	})
}
