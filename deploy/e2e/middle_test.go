package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
	"ftpalg/deploy/lab/labtest"
)

// What is under way when something happens to the gateway: a mirror of many
// files and a download, both slow enough to be in their middle then.
const (
	mirrorFiles    = 300
	mirrorFileSize = 20_000
	downloadSize   = 200_000_000
	mirrorRate     = "1500000" // bytes a second
	downloadRate   = "40M"
	// underWay is how long after their start something happens, and again.
	underWay = 1500 * time.Millisecond
)

// again runs a command until it has done its work, six times at most. lftp
// tries again by itself, except where the control connection ends between a
// file's last byte and its 226: then it has the file and exits with 1.
const again = `for attempt in 1 2 3 4 5 6; do
  "$@" && exit
  echo "attempt $attempt ended with $?"; sleep 1
done; exit 1`

// traffic is a mirror by lftp and a download by curl. Both try again after
// what went wrong, as their users would have them do.
type traffic struct {
	s                *scene
	dir              string
	mirror, download *lab.Command
	saysM, saysD     bytes.Buffer
}

func (s *scene) startTraffic(t *testing.T) *traffic {
	t.Helper()
	need(t, "lftp", "curl")
	try(t, os.Mkdir(filepath.Join(s.server.files.path, "pub/many"), 0o755))
	for i := range mirrorFiles {
		s.server.files.put(t, fmt.Sprintf("pub/many/%03d", i), ftp.Random(uint64(100+i), mirrorFileSize))
	}
	s.server.files.put(t, "pub/huge", ftp.Random(9, downloadSize))
	w := &traffic{s: s, dir: publicDir(t)}
	ctx := context.WithoutCancel(t.Context())
	w.mirror = s.Client.Command(ctx, "sh", "-c", again, "sh", "lftp", "-c", "set net:timeout 10; set net:max-retries 8; set net:reconnect-interval-base 1; "+
		"set net:reconnect-interval-multiplier 1; set net:limit-total-rate "+mirrorRate+"; open "+s.url("")+"; mirror -c -v -P4 pub/many "+w.dir+"/many")
	w.download = s.Client.Command(ctx, "sh", "-c", again, "sh", "curl", "-sS", "--limit-rate", downloadRate, "--speed-time", "10",
		"-C", "-", "-o", filepath.Join(w.dir, "huge"), s.url("pub/huge"))
	w.mirror.Stdout, w.mirror.Stderr = &w.saysM, &w.saysM
	w.download.Stdout, w.download.Stderr = &w.saysD, &w.saysD
	try(t, w.mirror.Start())
	try(t, w.download.Start())
	return w
}

// stillRuns fails if either has ended already: then nothing was tested.
func (w *traffic) stillRuns(t *testing.T) {
	t.Helper()
	for _, c := range []*lab.Command{w.mirror, w.download} {
		if err := c.Process.Signal(syscall.Signal(0)); err != nil {
			t.Errorf("%s ended before anything happened: %v", c, err)
		}
	}
}

// endsWell waits for both and compares every byte. Unless they may be
// interrupted, neither client may have noticed anything.
func (w *traffic) endsWell(t *testing.T, mayBeInterrupted bool) {
	t.Helper()
	if err := errors.Join(w.mirror.Wait(), w.download.Wait()); err != nil {
		t.Errorf("%v; lftp said %s, curl said %s", err, w.saysM.String(), w.saysD.String())
	}
	for i := range mirrorFiles {
		w.compare(t, fmt.Sprintf("pub/many/%03d", i), fmt.Sprintf("many/%03d", i))
	}
	w.compare(t, "pub/huge", "huge")
	t.Logf("curl said %q", w.saysD.String())
	interrupted := w.saysD.Len() > 0 || strings.Contains(w.saysM.String(), "error") || strings.Contains(w.saysM.String(), "attempt 1 ended")
	if interrupted && !mayBeInterrupted {
		t.Errorf("a client was interrupted; lftp said %s, curl said %s", w.saysM.String(), w.saysD.String())
	}
}

func (w *traffic) compare(t *testing.T, served, got string) {
	t.Helper()
	want, err := os.ReadFile(filepath.Join(w.s.server.files.path, served))
	try(t, err)
	have, err := os.ReadFile(filepath.Join(w.dir, got))
	if err != nil || !bytes.Equal(have, want) {
		t.Errorf("%s: %d bytes arrived of %d, equal %v, %v", served, len(have), len(want), bytes.Equal(have, want), err)
	}
}

func TestTransfersGetThroughWhateverHappensToTheGateway(t *testing.T) {
	for name, c := range map[string]struct {
		mayBeInterrupted bool
		happens          func(t *testing.T, s *scene, g *gateway)
	}{
		"the gateway is killed and starts again": {true, func(t *testing.T, s *scene, g *gateway) {
			g.kill(t)
			g.start(t)
		}},
		"the configuration is read again": {false, func(t *testing.T, s *scene, g *gateway) {
			g.signal(t, syscall.SIGHUP)
			time.Sleep(underWay)
			g.configure(t, settings{listeners: fronting, passive: "52000-52099"})
			g.signal(t, syscall.SIGHUP)
		}},
		"the firewall's script flushes its rules and writes them anew": {false, func(t *testing.T, s *scene, g *gateway) {
			s.flush(t)
			try(t, s.Gateway.Strict())
			g.repairs(t)
		}},
		"the firewall is taken down": {false, func(t *testing.T, s *scene, g *gateway) {
			for _, chain := range []string{"INPUT", "FORWARD"} {
				_, err := s.Gateway.Iptables("-P", chain, "ACCEPT")
				try(t, err)
			}
			s.flush(t)
			g.repairs(t)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t, lab.Inbound)
			g := startGateway(t, s.Gateway, settings{listeners: fronting})
			w := s.startTraffic(t)
			time.Sleep(underWay)
			w.stillRuns(t)
			c.happens(t, s, g)
			w.endsWell(t, c.mayBeInterrupted)
			g.endsClosed(t)
		})
	}
}

// flush removes every rule of every chain of the filter table, as iptables -F
// does.
func (s *scene) flush(t *testing.T) {
	t.Helper()
	_, err := s.Gateway.Iptables("-F")
	try(t, err)
}

// repairs waits until the gateway's rules are back that a flush has removed.
func (g *gateway) repairs(t *testing.T) {
	t.Helper()
	within(t, closedTimeout, "the rules are repaired", func() error {
		rules, err := g.host.Iptables("-S")
		for _, chain := range []string{"INPUT", "FORWARD", "OUTPUT"} {
			if !strings.Contains(rules, "-j FTPALG-"+chain+"\n") {
				err = errors.Join(err, fmt.Errorf("no jump from %s", chain))
			}
		}
		return err
	})
}

// endsClosed fails unless soon nothing is promised, then ends the gateway.
func (g *gateway) endsClosed(t *testing.T) {
	t.Helper()
	within(t, closedTimeout, "nothing is promised", func() error {
		if open := g.pinholes(t); len(open) > 0 {
			return fmt.Errorf("promised: %+v", open)
		}
		return nil
	})
	g.stop(t)
	if out := g.cleanup(t); !strings.Contains(out, "nothing was left") {
		t.Errorf("after the end cleanup said %q", out)
	}
}

func TestTransfersGetThroughAFirewalldReload(t *testing.T) {
	t.Parallel()
	s := newScene(t, lab.Inbound)
	for _, table := range []string{"INPUT", "FORWARD"} {
		_, err := s.Gateway.Iptables("-P", table, "ACCEPT") // firewalld decides now
		try(t, err)
		_, err = s.Gateway.Iptables("-F", table)
		try(t, err)
	}
	f := labtest.StartFirewalld(t, s.Gateway)
	g := startGateway(t, s.Gateway, settings{listeners: fronting})
	w := s.startTraffic(t)
	time.Sleep(underWay)
	w.stillRuns(t)
	f.Reload(t)
	g.repairs(t)
	f.Reload(t)
	w.endsWell(t, false)
	g.endsClosed(t)
}
