package rules

import (
	"net"
	"testing"
	"time"
)

// While the firewall's tables are empty, nothing but our own table needs connection
// tracking and translation.
func TestTranslatedConnectionsOutliveEmptyTables(t *testing.T) {
	for _, path := range []Path{IPTables, Conntrack} {
		t.Run(path.String(), func(t *testing.T) {
			generations(t, func(t *testing.T) { outliveEmptyTables(t, path) })
		})
	}
}

func outliveEmptyTables(t *testing.T, path Path) {
	e := newEdge(t)
	m := startManager(t, Options{Path: path, CheckEvery: time.Hour}, Static{})
	all := passages()
	ends := make([][2]net.Conn, len(all))
	for i, p := range all {
		connecting, listening := p.hosts(e)
		accepted := listen(t, listening, p.Target.String(), nil)
		mustOpen(t, m, p.Expectation)
		ends[i][0] = dial(t, connecting, p.from, p.Reached.String(), comes)
		ends[i][1] = arrived(t, accepted)
		echo(t, p.name, ends[i])
		for _, c := range ends[i] {
			c.(*net.TCPConn).SetLinger(0) // no packet of it meets a later test
		}
	}
	sh(t, `for i in iptables ip6tables; do
		$i -P INPUT ACCEPT; $i -P FORWARD ACCEPT
		for t in filter nat mangle; do $i -t $t -F; $i -t $t -X; done; done`)
	for i, p := range all {
		echo(t, p.name+", tables empty", ends[i])
	}
}

// echo sends a byte in each direction.
func echo(t *testing.T, name string, ends [2]net.Conn) {
	t.Helper()
	for i, from := range ends {
		to := ends[1-i]
		if from == nil || to == nil {
			t.Fatalf("%s: the promised connection did not come:\n%s", name, saved(t))
		}
		from.Write([]byte("x"))
		to.SetReadDeadline(time.Now().Add(comes))
		if n, err := to.Read(make([]byte, 1)); n != 1 {
			t.Errorf("%s: from end %d: %v", name, i, err)
		}
	}
}
