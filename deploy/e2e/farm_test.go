package e2e

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// Several servers behind one listener: sessions take turns, a server that ends
// is left out with nobody noticing, and is used again when it is back.
func TestSessionsGoToTheServersThatWork(t *testing.T) {
	t.Parallel()
	need(t, "curl", "vsftpd")
	s := newHosts(t, lab.Inbound)
	own := []netip.Addr{s.Own, netip.MustParseAddr("198.18.1.21")}
	try(t, s.Server.AddAddress("eth0", "198.18.1.21/24"))
	var servers []*vsftpd
	for i, a := range own {
		v := startVsftpd(t, s.Server, a, fmt.Sprintf("ftpd_banner=number %d", i))
		servers = append(servers, v)
	}
	g := startGateway(t, s.Gateway, settings{listeners: `[{name: farm, listen: 203.0.113.1:21, server: [198.18.1.20:21, 198.18.1.21:21]}]`})
	// fetch downloads, by a data connection of its own, and says from which.
	fetch := func(mode ...string) string {
		t.Helper()
		line := append([]string{"-c", `curl -sS -v -m 30 "$@" 2>&1 >/dev/null`, "sh", "ftp://203.0.113.1/pub/file"}, mode...)
		out, err := run(t, s.Client, "sh", line...)
		try(t, err)
		for i := range own {
			if strings.Contains(out, fmt.Sprintf("220 number %d", i)) {
				return fmt.Sprint(i)
			}
		}
		t.Fatalf("which server is it? %s", out)
		return ""
	}
	states := func(want string) func() error {
		return func() error {
			var got []string
			type status struct {
				Servers []struct {
					Server netip.AddrPort `json:"server"`
					Up     bool           `json:"up"`
				} `json:"servers"`
			}
			for _, v := range askJSON[status](t, g, "status").Servers {
				got = append(got, fmt.Sprintf("%s %t", v.Server.Addr(), v.Up))
			}
			if strings.Join(got, ", ") != want {
				return fmt.Errorf("servers: %v", got)
			}
			return nil
		}
	}
	if got := fetch() + fetch() + fetch("--ftp-port", "-") + fetch("--ftp-port", "-"); got != "0101" && got != "1010" {
		t.Errorf("four sessions went to %s", got)
	}
	try(t, servers[0].command.Process.Kill())
	for range 4 {
		if got := fetch(); got != "1" {
			t.Errorf("a session went to server %s, which is down", got)
		}
	}
	within(t, endTimeout, "the server that ended is shown", states("198.18.1.20 false, 198.18.1.21 true"))
	startVsftpd(t, s.Server, own[0], "ftpd_banner=number 0")
	within(t, endTimeout, "the server is back", states("198.18.1.20 true, 198.18.1.21 true"))
	if got := fetch() + fetch(); got != "01" && got != "10" {
		t.Errorf("two sessions went to %s after it was back", got)
	}
	if out, err := g.ask("status"); err != nil || !strings.Contains(out, "servers        farm: 198.18.1.20:21, 0 sessions") {
		t.Errorf("status: %v\n%s", err, out)
	}
}

// A name stands for the servers whose addresses it has at the time.
func TestServersComeFromAName(t *testing.T) {
	for _, source := range []string{"gateway", "client"} {
		t.Run("source "+source, func(t *testing.T) {
			t.Parallel()
			serversOfAName(t, source)
		})
	}
}

func serversOfAName(t *testing.T, source string) {
	need(t, "unshare")
	s := newHosts(t, lab.Inbound)
	own := []netip.Addr{s.Own, netip.MustParseAddr("198.18.1.21")}
	try(t, s.Server.AddAddress("eth0", "198.18.1.21/24"))
	var files []*folder
	for i, a := range own {
		files = append(files, startVsftpd(t, s.Server, a, fmt.Sprintf("ftpd_banner=number %d", i)).files)
	}
	_, err := s.Gateway.Iptables("-P", "OUTPUT", "DROP") // what leaves is the gateway's, too
	try(t, err)
	_, err = s.Gateway.Iptables("-A", "OUTPUT", "-m", "conntrack", "--ctstate", "ESTABLISHED", "-j", "ACCEPT")
	try(t, err)
	hosts := filepath.Join(s.dir, "hosts")
	// What is no server of anybody's is left out.
	try(t, os.WriteFile(hosts, []byte("198.18.1.20 farm.example.net\n127.0.0.1 farm.example.net\n224.0.0.1 farm.example.net\n"), 0o644))
	g := newGateway(t, s.Gateway, settings{listeners: `[{name: farm, listen: 203.0.113.1:21, server: "farm.example.net:21", source: ` + source + `}]`}, mounted(hosts, "/etc/hosts")...)
	g.start(t)
	greeted := func() string {
		t.Helper()
		c := s.dial(t)
		defer c.Close()
		line, err := bufio.NewReader(c).ReadString('\n')
		try(t, err)
		return line
	}
	if one, two := greeted(), greeted(); !strings.Contains(one, "number 0") || !strings.Contains(two, "number 0") {
		t.Errorf("the first address is the only one, and sessions were greeted %q, %q", one, two)
	}
	try(t, os.WriteFile(hosts, []byte("198.18.1.20 farm.example.net\n198.18.1.21 farm.example.net\n"), 0o644))
	within(t, lookupTimeout, "the second address is used, too", func() error {
		both := greeted() + greeted()
		if !strings.Contains(both, "number 0") || !strings.Contains(both, "number 1") {
			return fmt.Errorf("sessions were greeted %q", both)
		}
		return nil
	})
	got := filepath.Join(s.dir, "got")
	_, err = s.curl(t, ftp.PASV, s.url("pub/file"), "-o", got)
	try(t, err)
	if err := differs(got, files[0].name("pub/file")); err != nil && differs(got, files[1].name("pub/file")) != nil {
		t.Error(err)
	}
	g.closedAgain(t)
}
