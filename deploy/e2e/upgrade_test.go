package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// upgrades is how many successors follow one another.
const upgrades = 10

// Nobody notices that the program is replaced: neither a transfer, nor a client
// that is idle, in the middle of a line, or waiting for a reply.
func TestUpgradesEndNoSession(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	answer := s.serveOnDemand(t, "198.18.1.20:2121")
	g := startGateway(t, s.Gateway, settings{listeners: "[{name: files, listen: 203.0.113.1:21, server: 198.18.1.20:21}, " +
		"{name: slow, listen: 203.0.113.1:2121, server: 198.18.1.20:2121}]"})
	first := g.opener(t)

	s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
	idle, middle := s.connect(t), s.connect(t)
	waiting, err := s.Client.Dial(t.Context(), "tcp", "", "203.0.113.1:2121")
	try(t, err)
	defer waiting.Close()
	replies := bufio.NewReader(waiting)
	nextLine(t, replies, "220 ready")
	long, short, promised := s.connect(t), s.connect(t), s.connect(t)
	var got bytes.Buffer
	var data *ftp.Data
	var port netip.AddrPort
	if kernel := dataPath() != "relay"; kernel { // what a process relays ends with it
		data, err = long.Open(ftp.PASV, "RETR pub/big")
		try(t, err)
		defer data.Close()
		port = promisedPort(t, promised)
	}

	for n := range upgrades {
		for _, c := range []*ftp.Client{idle, middle} {
			says(t, c, "NOOP", 200)
		}
		try(t, middle.Send("NO"))
		fmt.Fprintf(waiting, "question %d\r\n", n)
		answer <- "" // it has come
		over, err := short.Open([]ftp.Mode{ftp.PASV, ftp.EPRT}[n%2], "RETR pub/big")
		try(t, err)
		before := g.opener(t)
		_, err = g.ask("upgrade")
		try(t, err)
		answer <- fmt.Sprintf("200 answer %d", n)
		nextLine(t, replies, fmt.Sprintf("200 answer %d", n))
		try(t, middle.Send("OP\r\n"))
		if r, err := middle.Read(); err != nil || r.Code != 200 {
			t.Fatalf("upgrade %d: in the middle of a line: %s, %v", n, r, err)
		}
		fetch(t, s.connect(t), s.server.files, ftp.EPSV, "pub/file")
		fetch(t, idle, s.server.files, []ftp.Mode{ftp.PASV, ftp.PORT}[n%2], "pub/file")
		finish(t, s.server.files, "pub/big", over, nil)
		if data != nil {
			if _, err := io.CopyN(&got, data, 1<<20); err != nil {
				t.Fatalf("upgrade %d: the long transfer: %v", n, err)
			}
		}
		g.hasSucceeded(t, before)
	}
	if data != nil {
		finish(t, s.server.files, "pub/big", data, got.Bytes())
		late, err := s.Client.Dial(t.Context(), "tcp", "", port.String())
		if err != nil {
			t.Fatalf("what was promised before the upgrades: %v", err)
		}
		late.Close()
	}
	for _, c := range []*ftp.Client{idle, middle, long, short, promised} {
		try(t, c.Quit())
	}
	if n := strings.Count(g.log(t), "event=upgraded"); n != upgrades {
		t.Errorf("%d upgrades are logged, want %d", n, upgrades)
	}
	if last := g.opener(t); last == first {
		t.Errorf("process %d serves as before", last)
	}
	g.closedAgain(t)
	g.stopSuccessor(t)
}

// The state of TLS cannot be handed over: a transfer under TLS is finished by the
// process that began it, and then the session is told.
func TestATransferUnderTLSOutlivesAnUpgrade(t *testing.T) {
	t.Parallel()
	need(t, "python3")
	s := newScene(t, lab.Inbound)
	s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
	g := startGateway(t, s.Gateway, withTLS(t, "offer", ""))
	dir := publicDir(t)
	got, begun, resume := filepath.Join(dir, "got"), filepath.Join(dir, "begun"), filepath.Join(dir, "resume")
	said := make(chan string, 1)
	go func() {
		out, err := run(t, s.Client, "python3", "-c", slowTLS, s.Contact.String(), got, begun, resume)
		said <- fmt.Sprint(out, err)
	}()
	within(t, readyTimeout, "the transfer has begun", func() error {
		_, err := os.Stat(begun)
		return err
	})
	idle := s.connect(t) // in clear
	before := g.opener(t)
	_, err := g.ask("upgrade")
	try(t, err)
	fetch(t, idle, s.server.files, ftp.PASV, "pub/file")
	s.arrives(t, s.server.files, func(got string) error {
		_, err := s.curl(t, ftp.PASV, "-k", "--ssl-reqd", s.url("pub/file"), "-o", got)
		return err
	})
	try(t, os.WriteFile(resume, nil, 0o644))
	if out := <-said; !strings.Contains(out, "226 ") || !strings.Contains(out, "421 The gateway is shutting down.") {
		t.Errorf("the client under TLS says %s", out)
	}
	if err := differs(got, s.server.files.name("pub/big")); err != nil {
		t.Error(err)
	}
	g.hasSucceeded(t, before)
	try(t, idle.Quit())
	g.closedAgain(t)
	g.stopSuccessor(t)
}

// slowTLS stops in the middle of a download, and says NOOP after it.
const slowTLS = `
import ftplib, os, sys, time
host, got, begun, resume = sys.argv[1:]
f = ftplib.FTP_TLS(timeout=30)
f.connect(host, 21)
f.login()
f.prot_p()
out = open(got, "wb")
def block(b):
    out.write(b)
    if not os.path.exists(begun):
        open(begun, "w").close()
        for _ in range(300):
            if os.path.exists(resume):
                break
            time.sleep(0.1)
print(f.retrbinary("RETR pub/big", block))
out.close()
time.sleep(1)
try:
    print(f.voidcmd("NOOP"))
except Exception as e:
    print(e)
`

// A successor that cannot take over changes nothing.
func TestAFailedUpgradeEndsNoSession(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	of := settings{listeners: "[{name: files, listen: 203.0.113.1:21, server: 198.18.1.20:21}]"}
	g := startGateway(t, s.Gateway, of)
	first := g.opener(t)
	c := s.connect(t)
	port := promisedPort(t, s.connect(t))
	for _, bad := range []struct{ text, says string }{
		{"listeners: [{name: files}]", "listeners[0]"},
		{strings.Replace(of.yaml(g.socket()), "user: ", "", 1) + "netfilter: {mark: 0x10}\n", "netfilter.mark: changed, which needs a restart"},
		{strings.Replace(of.yaml(g.socket()), "203.0.113.1:21,", "203.0.113.77:21,", 1), "203.0.113.77:21"},
	} {
		try(t, os.WriteFile(g.configFile(), []byte(bad.text), 0o644))
		if out, err := g.ask("upgrade"); err == nil || !strings.Contains(out, bad.says) || !strings.Contains(out, "goes on") {
			t.Errorf("upgrade: %v: %s; want %q", err, out, bad.says)
		}
		says(t, c, "NOOP", 200)
		fetch(t, c, s.server.files, ftp.PASV, "pub/file")
		fetch(t, s.connect(t), s.server.files, ftp.PORT, "pub/file")
	}
	late, err := s.Client.Dial(t.Context(), "tcp", "", port.String())
	if err != nil {
		t.Fatalf("what was promised before: %v", err)
	}
	late.Close()
	if now := g.opener(t); now != first {
		t.Errorf("process %d serves, want %d", now, first)
	}
	try(t, c.Quit())
	g.stop(t)
}

// promisedPort has a data port promised and returns where.
func promisedPort(t *testing.T, c *ftp.Client) netip.AddrPort {
	t.Helper()
	var port uint16
	reply := says(t, c, "EPSV", 229).String()
	if _, err := fmt.Sscanf(reply[strings.Index(reply, "(|||"):], "(|||%d|)", &port); err != nil {
		t.Fatalf("%s: %v", reply, err)
	}
	return netip.AddrPortFrom(c.Control().RemoteAddr().(*net.TCPAddr).AddrPort().Addr(), port)
}

// serveOnDemand runs a server of one session that greets, takes lines, and answers what it
// is given: an empty text only waits for the next line.
func (s *scene) serveOnDemand(t *testing.T, at string) chan<- string {
	t.Helper()
	l, err := s.Server.Listen("tcp", at)
	try(t, err)
	answers := make(chan string)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprint(c, "220 ready\r\n")
		lines := bufio.NewReader(c)
		for a := range answers {
			if a != "" {
				fmt.Fprint(c, a+"\r\n")
			} else if _, err := lines.ReadString('\n'); err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		l.Close()
		close(answers)
		<-ended
	})
	return answers
}

func nextLine(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	if got, err := r.ReadString('\n'); err != nil || strings.TrimRight(got, "\r\n") != want {
		t.Fatalf("got %q, %v; want %q", got, err, want)
	}
}

// finish reads the rest of a download, and compares it with the server's file.
func finish(t *testing.T, files *folder, name string, data *ftp.Data, first []byte) {
	t.Helper()
	rest, err := io.ReadAll(data)
	try(t, err)
	try(t, data.Finish())
	same(t, files, name, append(first, rest...))
}

// hasSucceeded waits until the process that served before has ended.
func (g *gateway) hasSucceeded(t *testing.T, before int) {
	t.Helper()
	within(t, endTimeout, "the predecessor has ended", func() error {
		if running(before) {
			return fmt.Errorf("process %d runs", before)
		}
		return nil
	})
	if after := g.opener(t); after == before {
		t.Fatalf("process %d serves as before", after)
	}
}

// opener returns the process of `ftpalg run` that serves. A child of it looks the same
// until it executes a tool, and is not there at a second look.
func (g *gateway) opener(t *testing.T) (process int) {
	t.Helper()
	found := g.openers(t)
	if len(found) > 1 {
		time.Sleep(100 * time.Millisecond)
		still := g.openers(t)
		found = slices.DeleteFunc(found, func(p int) bool { return !slices.Contains(still, p) })
	}
	if len(found) != 1 {
		t.Fatalf("processes of the gateway: %v, want one", found)
	}
	return found[0]
}

func (g *gateway) openers(t *testing.T) (found []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	try(t, err)
	for _, file := range all {
		line, err := os.ReadFile(file)
		if err == nil && strings.Contains(string(line), "\x00run\x00--config\x00"+g.configFile()+"\x00") {
			n, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			found = append(found, n)
		}
	}
	return found
}

// running reports whether a process runs; one that nobody has waited for does
// not.
func running(process int) bool {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", process))
	return err == nil && len(line) > 0
}

// stopSuccessor is stop for a gateway that is no child of the test.
func (g *gateway) stopSuccessor(t *testing.T) {
	t.Helper()
	process := g.opener(t)
	try(t, syscall.Kill(process, syscall.SIGTERM))
	within(t, endTimeout, "the successor has ended", func() error {
		if running(process) {
			return fmt.Errorf("process %d runs", process)
		}
		return nil
	})
	if err := g.ends(t); err != nil {
		t.Errorf("the first process ended with %v", err)
	}
	if _, err := os.Stat(g.socket()); err == nil {
		t.Error("the admin socket is still there")
	}
}

// Clients that come and go while one successor follows another do not notice.
func TestUpgradesUnderLoadFailNoTransfer(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient})
	dir := publicDir(t)
	clients := s.Client.Command(t.Context(), "sh", "-c", strictLoad, "sh", dir, s.url("pub/file"))
	try(t, clients.Start())
	end := sync.OnceValue(func() error { return errors.Join(os.WriteFile(dir+"/end", nil, 0o644), clients.Wait()) })
	t.Cleanup(func() { _ = end() }) // the test has looked, or has failed before
	for range upgrades {
		before := g.opener(t)
		_, err := g.ask("upgrade")
		try(t, err)
		g.hasSucceeded(t, before)
	}
	try(t, end())
	done, err := os.ReadFile(dir + "/done")
	try(t, err)
	if n := strings.Count(string(done), "\n"); n < 2*upgrades {
		t.Errorf("only %d transfers were made", n)
	}
	if failed, err := os.ReadFile(dir + "/failed"); err == nil {
		t.Errorf("transfers failed:\n%s", failed)
	}
	g.closedAgain(t)
	g.stopSuccessor(t)
}

// strictLoad fetches $2 by four clients at a time in all modes until $1/end is there. It
// notes in $1/done what came, and in $1/failed what did not.
const strictLoad = `
dir=$1 url=$2
loop() {
	while ! [ -e "$dir/end" ]; do
		if out=$(curl -sS -m 30 "$@" "$url" -o /dev/null 2>&1); then echo "$*" >>"$dir/done"; else echo "$*: $out" >>"$dir/failed"; fi
	done
}
loop --disable-epsv & loop --ftp-pasv & loop --ftp-port - --disable-eprt & loop --ftp-port - &
wait`
