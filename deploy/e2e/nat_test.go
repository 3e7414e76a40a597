package e2e

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

const cloudListener = "[{name: legacy, listen: 198.18.2.10:21, server: 198.18.1.20:21, source: gateway}]"

func TestOuterNATMayChangePorts(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Cloud)
	_, err := s.Edge.Iptables("-t", "nat", "-F", "PREROUTING")
	try(t, err)
	for ports, to := range map[string]string{"21": "198.18.2.10:21", "60000:60099": "198.18.2.10:50000-50099/60000"} {
		_, err := s.Edge.Iptables("-t", "nat", "-A", "PREROUTING", "-d", "203.0.113.80", "-p", "tcp", "--dport", ports, "-j", "DNAT", "--to-destination", to)
		try(t, err)
	}
	g := startGateway(t, s.Gateway, settings{
		listeners: cloudListener,
		nat:       "[{local: 198.18.2.10, public: 203.0.113.80, ports: {local: 50000-50099, public: 60000-60099}}]",
		// Some ports of the range are beyond the mapping: never to be told.
		passive: "50000-50199",
	})
	s.everyClient(t, s.server.files, allModes()...)
	for range 20 {
		s.checkTold(t, portSpan{60000, 60099})
	}
	g.closedAgain(t)
}

// lookupTimeout is longer than the gateway takes to look a name up again.
const lookupTimeout = time.Minute

func TestPublicNameIsLookedUpAgain(t *testing.T) {
	t.Parallel()
	need(t, "unshare")
	s := newScene(t, lab.Cloud)
	try(t, s.Edge.AddAddress("wan", "203.0.113.81/24"))
	_, err := s.Edge.Iptables("-t", "nat", "-A", "PREROUTING", "-d", "203.0.113.81", "-j", "DNAT", "--to-destination", "198.18.2.10")
	try(t, err)
	hosts := filepath.Join(s.dir, "hosts")
	try(t, os.WriteFile(hosts, []byte("203.0.113.80 edge.example.net\n"), 0o644))
	g := newGateway(t, s.Gateway, settings{
		listeners: cloudListener, nat: "[{local: 198.18.2.10, public: edge.example.net, except: [198.18.0.0/15]}]",
	}, mounted(hosts, "/etc/hosts")...)
	g.start(t)

	old := s.connect(t)
	first, second := netip.MustParseAddr("203.0.113.80"), netip.MustParseAddr("203.0.113.81")
	if told := fetch(t, old, s.server.files, ftp.PASV, "pub/file").Told; told.Addr() != first {
		t.Errorf("before the change told %s", told)
	}
	try(t, os.WriteFile(hosts, []byte("203.0.113.81 edge.example.net\n"), 0o644)) // the mounted inode stays
	within(t, lookupTimeout, "a new session is told the new address", func() error {
		c := s.connect(t)
		defer c.Close()
		says(t, old, "NOOP", 200)
		if told := fetch(t, c, s.server.files, ftp.PASV, "pub/file").Told; told.Addr() != second {
			time.Sleep(time.Second)
			return fmt.Errorf("told %s", told)
		}
		return nil
	})
	if told := fetch(t, old, s.server.files, ftp.PASV, "pub/file").Told; told.Addr() != first {
		t.Errorf("the old session was told %s after the change", told)
	}
	try(t, old.Quit())
	g.closedAgain(t)
}

// mounted is the beginning of a command line whose process, and nobody else,
// sees a file or folder in the place of another (mount_namespaces(7)).
func mounted(file, over string) []string {
	return []string{"unshare", "--mount", "sh", "-c", `mount --bind "$1" "$2" && shift 2 && exec "$@"`, "sh", file, over}
}
