package alg_test

import (
	"testing"
	"time"
)

func TestTheTraceHasEachLineAndNoPassword(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		both(client, server, "USER joe", "331 and?")
		both(client, server, "pass  my secret", "332 and?")
		both(client, server, "ACCT another", "334 and?")
		both(client, server, "ADAT c2VjcmV0", "230 in")
		passive(client, server)
		client.say("PORT 192,0,2,1,195,81")
		client.hears("501 PORT to another host is refused.")
		const want = `level=DEBUG-4 msg=line session=1 event=line from=server text="220 ready" told="" refused=""
level=DEBUG-4 msg=line session=1 event=line from=client text="USER joe" told="" refused=""
level=DEBUG-4 msg=line session=1 event=line from=server text="331 and?" told="" refused=""
level=DEBUG-4 msg=line session=1 event=line from=client text="pass ****" told="" refused=""
level=DEBUG-4 msg=line session=1 event=line from=server text="332 and?" told="" refused=""
level=DEBUG-4 msg=line session=1 event=line from=client text="ACCT ****" told="" refused=""
level=DEBUG-4 msg=line session=1 event=line from=server text="334 and?" told="" refused=""
level=DEBUG-4 msg=line session=1 event=line from=client text="ADAT ****" told="" refused=""
level=DEBUG-4 msg=line session=1 event=line from=server text="230 in" told="" refused=""
level=DEBUG-4 msg=line session=1 event=line from=client text=PASV told="" refused=""
level=DEBUG-4 msg=line session=1 event=line from=server text="227 (198,18,1,20,19,136)" told="227 (203,0,113,1,195,80)" refused=""
level=DEBUG-4 msg=line session=1 event=line from=client text="PORT 192,0,2,1,195,81" told="" refused=third_party
level=DEBUG-4 msg=line session=1 event=line from=gateway text="501 PORT to another host is refused." told="" refused=""
`
		if got := b.log.of("line"); got != want {
			t.Errorf("the trace is\n%swant\n%s", got, want)
		}
	})
}

// TestTheRecordOfASessionIsWhole has the kernel's word of a transfer come
// later than the session's end.
func TestTheRecordOfASessionIsWhole(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		both(client, server, "USER joe", "230 in")
		passive(client, server)
		client.say("PORT 192,0,2,1,195,81")
		client.hears("501 PORT to another host is refused.")
		both(client, server, "RETR a", "150 here")
		b.gateway.Connected(1)
		time.Sleep(3 * time.Second)
		server.say("226 done")
		client.hears("226 done")
		client.Close()
		server.Close()
		if got := b.log.of("session_end"); got != "" {
			t.Errorf("before the bytes are known it says %s", got)
		}
		b.gateway.Disconnected(1, 70, 2000, true)
		const want = `level=INFO msg="session ends" session=1 event=session_end outcome=closed duration=3s listener=legacy ` +
			`client=203.0.113.10:60001 user=joe reached=203.0.113.1:21 server=198.18.1.20:21 seen=198.18.1.1:40001 ` +
			`modes=[PASV] announced=1 refused=1 opaque=false tls="" server_tls="" transfers=1 from_client=70 from_server=2000 counted=true` + "\n"
		if got := b.log.of("session_end"); got != want {
			t.Errorf("the record is\n%swant\n%s", got, want)
		}
	})
}

func TestTheRecordDoesNotWaitForever(t *testing.T) {
	onBench(t, fronting(), onePort(testSettings()), func(b *bench) {
		client, server := b.session()
		passive(client, server)
		both(client, server, "RETR a", "150 here")
		server.say("226 done")
		client.hears("226 done")
		client.Close()
		server.Close()
		time.Sleep(3 * time.Second)
		if got := b.log.of("session_end"); got == "" {
			t.Error("there is no record")
		}
	})
}
