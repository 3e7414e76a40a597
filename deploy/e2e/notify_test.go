package e2e

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
)

// systemd is told which process is the main one (sd_notify(3)), by the one that
// was until then.
func TestSystemdIsToldOfTheSuccessor(t *testing.T) {
	t.Parallel()
	s := newHosts(t, lab.Inbound)
	dir := publicDir(t)
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	try(t, err)
	defer socket.Close()
	says := make(chan string, 100)
	go func() {
		defer close(says)
		message := make([]byte, 4096)
		for {
			n, err := socket.Read(message)
			if err != nil {
				return
			}
			says <- string(message[:n])
		}
	}()
	awaitSaid := func(want string) {
		t.Helper()
		timeout := time.After(readyTimeout)
		for {
			select {
			case got := <-says:
				if strings.Contains(got, want) {
					return
				}
			case <-timeout:
				t.Fatalf("systemd is not told %s", want)
			}
		}
	}
	g := newGateway(t, s.Gateway, settings{listeners: "[{name: files, listen: 203.0.113.1:21, server: 198.18.1.20:21}]"},
		"env", "NOTIFY_SOCKET="+filepath.Join(dir, "notify"), "WATCHDOG_USEC=400000")
	g.start(t)
	awaitSaid("READY=1")
	awaitSaid("WATCHDOG=1")
	before := g.opener(t)
	_, err = g.ask("upgrade")
	try(t, err)
	g.hasSucceeded(t, before)
	awaitSaid(fmt.Sprintf("MAINPID=%d", g.opener(t)))
	awaitSaid("WATCHDOG=1") // of the successor: nobody else is left
	g.stopSuccessor(t)
	awaitSaid("STOPPING=1")
}
