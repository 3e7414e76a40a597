package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/ftp"
)

// load fetches a file again and again, four at a time, until it is told to end
// by a file of that name. What the gateway's end cuts is tried anew.
const load = `
for n in 1 2 3 4; do
  while [ ! -e "$1/end" ]; do curl -sS -m 5 -o /dev/null "$2" 2>/dev/null || sleep 0.05; done &
done
wait`

// Either process is killed at moments that nobody chooses, while clients
// transfer: nothing stays open, and the gateway serves again.
// FTPALG_KILLS is how often.
func TestKillsAtRandomLeaveNothingOpen(t *testing.T) {
	t.Parallel()
	kills, err := strconv.Atoi(cmp.Or(os.Getenv("FTPALG_KILLS"), "6"))
	try(t, err)
	s := newScene(t, lab.Inbound)
	g := startGateway(t, s.Gateway, settings{listeners: frontingClient, pinhole: "3s"})
	dir := publicDir(t)
	clients := s.Client.Command(t.Context(), "sh", "-c", load, "sh", dir, s.url("pub/file"))
	try(t, clients.Start())
	end := func() error { return os.WriteFile(dir+"/end", nil, 0o644) }
	t.Cleanup(func() { _ = errors.Join(end(), clients.Wait()) }) // what they fetched was for the load alone
	for n := range kills {
		time.Sleep(rand.N(400 * time.Millisecond))
		victim, name := g.command.Process.Pid, "opener"
		if n%2 == 1 {
			victim, name = g.worker(t), "worker"
		}
		try(t, syscall.Kill(victim, syscall.SIGKILL))
		if err := g.ends(t); err == nil {
			t.Errorf("kill %d, of the %s: the gateway has ended as if in order", n, name)
		}
		if left := g.rules(t); name == "worker" && left != "" && strings.Contains(left, "FTPALG") {
			t.Errorf("kill %d, of the worker: the opener left\n%s", n, left)
		}
		g.start(t)
		client := s.connect(t)
		fetch(t, client, s.server.files, ftp.PASV, "pub/small")
		try(t, client.Quit())
	}
	try(t, end())
	try(t, clients.Wait())
	g.closedAgain(t)
	within(t, closedTimeout, "all sessions have ended", func() error {
		if all := g.sessions(t); len(all) > 0 {
			return fmt.Errorf("%d sessions go on", len(all))
		}
		return nil
	})
}
