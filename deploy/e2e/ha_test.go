package e2e

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
	"ftpalg/deploy/lab/labtest"
)

// pair is two gateways, of which one is active, between a client and a server.
type pair struct {
	*scene
	first, second *lab.Host
}

// newPair lays cables by two switches, and starts on each gateway what deploy/ha
// says.
func newPair(t *testing.T) *pair {
	t.Helper()
	need(t, "keepalived", "conntrackd", "iptables", "ip")
	n := labtest.Network(t)
	host := func(name string) *lab.Host {
		h, err := n.Host(name)
		try(t, err)
		return h
	}
	client, server, wan, lan := host("client"), host("server"), host("wan"), host("lan")
	p := &pair{first: host("first"), second: host("second")}
	p.scene = &scene{Topology: &lab.Topology{
		Network: n, Client: client, Gateway: p.first, Edge: p.second, Server: server,
		Contact: netip.MustParseAddr("203.0.113.1"), Own: netip.MustParseAddr("198.18.1.20"),
	}, dir: publicDir(t)}
	connect(t, n, wan, map[*lab.Host]string{client: "eth0 203.0.113.10/24", p.first: "wan 203.0.113.2/24", p.second: "wan 203.0.113.3/24"})
	connect(t, n, lan, map[*lab.Host]string{server: "eth0 198.18.1.20/24", p.first: "lan 198.18.1.2/24", p.second: "lan 198.18.1.3/24"})
	try(t, client.Route("default", "203.0.113.1"))
	try(t, server.Route("default", "198.18.1.1"))
	p.server = startVsftpd(t, server, p.Own)
	for _, g := range []*lab.Host{p.first, p.second} {
		try(t, g.Router())
		try(t, g.Strict())
		for _, rule := range []string{"-p vrrp", "-i lan -p udp --dport 3780"} {
			_, err := g.Iptables(append(strings.Fields("-A INPUT "+rule), "-j", "ACCEPT")...)
			try(t, err)
		}
		sysctl(t, g, "net.ipv4.ip_nonlocal_bind=1", "net.netfilter.nf_conntrack_tcp_be_liberal=1")
	}
	return p
}

// connect wires hosts to a switch.
func connect(t *testing.T, n *lab.Network, to *lab.Host, hosts map[*lab.Host]string) {
	t.Helper()
	command := func(args ...string) {
		t.Helper()
		if out, err := to.Command(t.Context(), "ip", args...).CombinedOutput(); err != nil {
			t.Fatalf("ip %v: %v: %s", args, err, out)
		}
	}
	command("link", "add", "bridge", "type", "bridge")
	port := 0
	for h, is := range hosts {
		port++
		name, address, _ := strings.Cut(is, " ")
		at := fmt.Sprintf("port%d", port)
		try(t, n.Wire(h, name, address, to, at, fmt.Sprintf("192.0.2.%d/32", port)))
		command("addr", "flush", "dev", at)
		command("link", "set", at, "master", "bridge")
	}
	command("link", "set", "bridge", "up")
}

func sysctl(t *testing.T, h *lab.Host, settings ...string) {
	t.Helper()
	for _, s := range settings {
		if out, err := h.Command(t.Context(), "sysctl", "-w", s).CombinedOutput(); err != nil {
			t.Fatalf("sysctl %s: %v: %s", s, err, out)
		}
	}
}

// member starts ftpalg, conntrackd and keepalived on one of the two, with the files
// of deploy/ha.
func (p *pair) member(t *testing.T, h *lab.Host, name string) *gateway {
	t.Helper()
	g := &gateway{host: h, dir: publicDir(t)}
	t.Cleanup(func() { showIfFailed(t, g.logFile()) })
	ours := strings.NewReplacer(
		"/usr/bin/ftpalg health", os.Getenv(binaryVariable)+" health --socket "+g.socket(),
		"/etc/conntrackd/failover.sh", filepath.Join(g.dir, "failover.sh"),
		"/run/conntrackd", filepath.Join(g.dir, "conntrackd"),
		`"${CONNTRACKD:-conntrackd}"`, `"conntrackd -C `+filepath.Join(g.dir, "conntrackd.conf")+`"`,
	)
	for _, file := range []string{"keepalived.conf", "conntrackd.conf", "failover.sh", "ftpalg.yaml"} {
		text, err := os.ReadFile(filepath.Join("../ha", file))
		try(t, err)
		said := ours.Replace(string(text))
		switch {
		case file == "ftpalg.yaml":
			said += fmt.Sprintf("  path: %s\nadmin: {socket: %s}\nlog: {level: debug, format: text}\n", dataPath(), g.socket())
		case file == "conntrackd.conf" && name == "second":
			said = strings.NewReplacer("198.18.1.2\n", "198.18.1.3\n", "198.18.1.3\n", "198.18.1.2\n").Replace(said)
		}
		mode := os.FileMode(0o644)
		if filepath.Ext(file) == ".sh" {
			mode = 0o755
		}
		try(t, os.WriteFile(filepath.Join(g.dir, file), []byte(said), mode))
	}
	start(t, h, "conntrackd", "-C", filepath.Join(g.dir, "conntrackd.conf"))
	g.start(t)
	start(t, h, "unshare", "--mount", "sh", "-c", `mount -t tmpfs none /run && exec "$@"`, "sh",
		"keepalived", "-n", "-l", "-D", "-i", name, "-f", filepath.Join(g.dir, "keepalived.conf"), "-p", filepath.Join(g.dir, "keepalived.pid"),
		"-r", filepath.Join(g.dir, "vrrp.pid"))
	return g
}

// has reports whether a host has the addresses that move.
func has(t *testing.T, h *lab.Host) bool {
	t.Helper()
	out, err := h.Command(context.WithoutCancel(t.Context()), "ip", "-4", "addr").Output()
	try(t, err)
	return strings.Contains(string(out), "203.0.113.1/24") && strings.Contains(string(out), "198.18.1.1/24")
}

// The active gateway dies in the middle of a transfer: the transfer goes on through
// the other one, and new sessions are served there.
func TestAStandbyTakesOver(t *testing.T) {
	t.Parallel()
	if dataPath() == "relay" {
		t.Skip("what the process carries ends with it")
	}
	p := newPair(t)
	p.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
	p.member(t, p.first, "first")
	p.member(t, p.second, "second")
	within(t, readyTimeout, "the first machine is active", func() error {
		if !has(t, p.first) || has(t, p.second) {
			return fmt.Errorf("first %v, second %v", has(t, p.first), has(t, p.second))
		}
		return nil
	})
	for _, m := range allModes() {
		fetch(t, p.connect(t), p.server.files, m, "pub/file")
	}
	transfers := map[ftp.Mode]*ftp.Data{}
	for _, m := range allModes() {
		data, err := p.connect(t).Open(m, "RETR pub/big")
		try(t, err)
		defer data.Close()
		transfers[m] = data
	}
	first := make(map[ftp.Mode][]byte)
	for m, data := range transfers {
		first[m] = make([]byte, 1<<20)
		_, err := io.ReadFull(data, first[m])
		try(t, err)
	}
	time.Sleep(time.Second) // conntrackd tells what is new at once, and batches it
	for _, name := range []string{"wan", "lan"} {
		_, err := p.first.Command(t.Context(), "ip", "link", "set", name, "down").Output()
		try(t, err)
	}
	died := time.Now()
	within(t, readyTimeout, "new sessions are served", func() error {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c, err := ftp.Connect(ctx, "203.0.113.1:21", ftp.Options{Dial: p.Client.Dial, Listen: p.Client.Listen, Timeout: time.Second})
		if err == nil {
			err = c.Quit()
		}
		return err
	})
	t.Logf("a new session was served %s after the active machine had died", time.Since(died).Round(100*time.Millisecond))
	for m, data := range transfers {
		rest, err := io.ReadAll(data)
		if err != nil {
			t.Errorf("%s: the transfer did not go on: %v", m, err)
			continue
		}
		same(t, p.server.files, "pub/big", append(first[m], rest...))
	}
	t.Logf("four transfers went on, and had ended %s after it", time.Since(died).Round(100*time.Millisecond))
	for _, m := range allModes() {
		fetch(t, p.connect(t), p.server.files, m, "pub/file")
	}
}
