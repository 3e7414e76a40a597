package rules

import (
	"net"
	"testing"
	"time"

	"github.com/ti-mo/conntrack"
)

// Where the kernel's helper reads the control connection too, the data
// connection is RELATED.
func TestAPinholeAdmitsWhatTheKernelsHelperExpected(t *testing.T) {
	generations(t, func(t *testing.T) {
		e := newEdge(t)
		sh(t, `iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp
			iptables -A FORWARD -p tcp --dport 21 -j ACCEPT`)
		t.Cleanup(func() { sh(t, "iptables -t raw -F") })
		m := startManager(t, Options{}, Static{})
		accepted := listen(t, e.server, "198.18.1.20:21", nil)
		client := dial(t, e.client, "203.0.113.10:0", "198.18.1.20:21", comes)
		if client == nil {
			t.Fatal("no control connection")
		}
		server := arrived(t, accepted)
		tell(t, server, client, "220 ready\r\n")
		tell(t, server, client, "227 Entering Passive Mode (198,18,1,20,117,51)\r\n") // port 30003
		helperExpects(t)
		p := passages()[2]
		data := listen(t, e.server, p.Target.String(), nil)
		mustOpen(t, m, p.Expectation)
		p.pass(t, e, data)
	})
}

func helperExpects(t *testing.T) {
	t.Helper()
	c, err := conntrack.Dial(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	expected, err := c.DumpExpect()
	if err != nil || len(expected) != 1 {
		t.Fatalf("the kernel's helper expects %v, %v; want one connection", expected, err)
	}
}

func tell(t *testing.T, from, to net.Conn, line string) {
	t.Helper()
	if _, err := from.Write([]byte(line)); err != nil {
		t.Fatal(err)
	}
	to.SetReadDeadline(time.Now().Add(comes))
	if _, err := to.Read(make([]byte, len(line))); err != nil {
		t.Fatal(err)
	}
}
