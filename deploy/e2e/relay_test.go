package e2e

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// What is in clear on both sides never comes into the memory of the process:
// the kernel moves it (splice(2)).
func TestRelayHasTheKernelMoveTheData(t *testing.T) {
	t.Parallel()
	need(t, "strace")
	s := newScene(t, lab.Inbound)
	s.server.files.put(t, "pub/big", ftp.Random(3, bigSize))
	g := startGateway(t, s.Gateway, settings{path: "relay", listeners: frontingClient})
	trace := filepath.Join(s.dir, "trace")
	watch := s.Gateway.Command(t.Context(), "strace", "-f", "-qq", "-e", "trace=splice", "-o", trace, "-p", strconv.Itoa(g.worker(t)))
	try(t, watch.Start())
	within(t, waitTimeout, "strace has begun", func() error {
		_, err := os.Stat(trace)
		return err
	})
	time.Sleep(500 * time.Millisecond) // it takes one thread after the other
	c := s.connect(t)
	fetch(t, c, s.server.files, ftp.PASV, "pub/big")
	try(t, c.Quit())
	try(t, watch.Process.Signal(syscall.SIGINT))
	_ = watch.Wait() // it ends by the signal
	text, err := os.ReadFile(trace)
	try(t, err)
	var moved int
	for _, m := range regexp.MustCompile(`(?m)\) += (\d+)$`).FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.Atoi(m[1])
		try(t, err)
		moved += n
	}
	// Into a pipe, and out of it.
	if moved < 2*bigSize*9/10 {
		t.Errorf("splice moved %d bytes in and out for a file of %d: %.500s", moved, bigSize, text)
	}
}

// A host on which the gateway may not touch netfilter.
func TestRelayDoesWithoutNetfilter(t *testing.T) {
	t.Parallel()
	need(t, "setpriv")
	s := newScene(t, lab.Inbound)
	for _, chain := range []string{"INPUT", "OUTPUT"} {
		_, err := s.Gateway.Iptables("-P", chain, "ACCEPT")
		try(t, err)
	}
	rules := func() string {
		out, err := s.Gateway.Command(t.Context(), "iptables-save").Output()
		try(t, err)
		return string(out)
	}
	g := newGateway(t, s.Gateway, settings{path: "relay", listeners: "[" + strings.Replace(firstListener, ", source: client", "", 1) + "]"},
		"setpriv", "--bounding-set", "-net_admin,-net_raw")
	g.start(t)
	if status, err := g.ask("status"); err != nil || !strings.Contains(status, "netfilter is left alone") {
		t.Errorf("status: %s, %v", status, err)
	}
	if strings.Contains(rules(), "FTPALG") {
		t.Errorf("it has touched netfilter: %s", rules())
	}
	c := s.connect(t)
	for _, m := range allModes() {
		fetch(t, c, s.server.files, m, "pub/file")
	}
	g.stop(t)
}
