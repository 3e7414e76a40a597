package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ftpalg/deploy/lab"
)

// Time limits of the gateway's life, with patience for a busy machine: on a
// quiet one each takes moments.
const (
	readyTimeout  = 40 * time.Second
	endTimeout    = 40 * time.Second
	closedTimeout = 20 * time.Second
)

// pinholeTimeout is how long a promise stands that nobody takes back. It is
// longer than closedTimeout, so that none counts as taken back that only ran
// out.
const pinholeTimeout = "1m"

// settings is a gateway's configuration; what is left empty gets the value of
// these tests.
type settings struct {
	listeners string // the YAML list
	path      string // data.path: dataPath()
	nat       string // the YAML list
	passive   string // 50000-50099
	active    string // 51000-51099
	pinhole   string // pinhole_timeout: pinholeTimeout
	limits    string // the YAML mapping
	admin     string // more of that mapping: ", key: value"
	log       string // the YAML mapping
}

// dataPath is the data path of the gateways that these tests start: that of
// FTPALG_DATA_PATH, or iptables.
func dataPath() string { return cmp.Or(os.Getenv("FTPALG_DATA_PATH"), "iptables") }

func (s settings) yaml(socket string) string {
	return fmt.Sprintf(`listeners: %s
nat: %s
data: {path: %s, passive_ports: %s, active_ports: %s, pinhole_timeout: %s}
limits: %s
admin: {socket: %s%s}
log: %s
`, s.listeners, cmp.Or(s.nat, "[]"), cmp.Or(s.path, dataPath()), cmp.Or(s.passive, "50000-50099"), cmp.Or(s.active, "51000-51099"), cmp.Or(s.pinhole, pinholeTimeout), cmp.Or(s.limits, "{}"), socket, s.admin, cmp.Or(s.log, "{level: debug, format: text}"))
}

// gateway is an ftpalg on a host.
type gateway struct {
	host    *lab.Host
	dir     string
	wrapper []string // a command line that runs the one behind it
	command *lab.Command
	// quiet is the host's rules without any session.
	quiet string
}

// startGateway starts an ftpalg on a host and waits until it is ready.
func startGateway(t *testing.T, host *lab.Host, s settings) *gateway {
	t.Helper()
	g := newGateway(t, host, s)
	g.start(t)
	return g
}

// newGateway writes the configuration of an ftpalg that does not run yet.
// It runs behind wrapper, a command line, if there is one.
func newGateway(t *testing.T, host *lab.Host, s settings, wrapper ...string) *gateway {
	t.Helper()
	g := &gateway{host: host, dir: publicDir(t), wrapper: wrapper}
	g.configure(t, s)
	t.Cleanup(func() { showIfFailed(t, g.logFile()) })
	return g
}

func (g *gateway) socket() string     { return filepath.Join(g.dir, "admin.sock") }
func (g *gateway) configFile() string { return filepath.Join(g.dir, "ftpalg.yaml") }
func (g *gateway) logFile() string    { return filepath.Join(g.dir, "log") }

func (g *gateway) configure(t *testing.T, s settings) {
	t.Helper()
	try(t, os.WriteFile(g.configFile(), []byte(s.yaml(g.socket())), 0o644))
}

// start starts the process and waits until it says that it is ready.
func (g *gateway) start(t *testing.T) {
	t.Helper()
	log, err := os.OpenFile(g.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	try(t, err)
	defer log.Close()
	line := append(append([]string{}, g.wrapper...), os.Getenv(binaryVariable), "run", "--config", g.configFile())
	g.command = g.host.Command(context.WithoutCancel(t.Context()), line[0], line[1:]...)
	g.command.Stdout, g.command.Stderr = log, log
	try(t, g.command.Start())
	within(t, readyTimeout, "the gateway is ready", func() error {
		_, err := g.ask("status")
		return err
	})
	g.quiet = g.rules(t)
}

// ask runs a sub-command of ftpalg that talks to the gateway.
func (g *gateway) ask(command ...string) (string, error) {
	line := append(command, "--socket", g.socket())
	out, err := exec.Command(os.Getenv(binaryVariable), line...).CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("ftpalg %s: %w: %s", strings.Join(line, " "), err, out)
	}
	return string(out), nil
}

// cleanup runs `ftpalg cleanup` on the gateway's host.
func (g *gateway) cleanup(t *testing.T) string {
	t.Helper()
	out, err := g.host.Command(context.WithoutCancel(t.Context()), os.Getenv(binaryVariable), "cleanup").CombinedOutput()
	if err != nil {
		t.Fatalf("cleanup: %v: %s", err, out)
	}
	return string(out)
}

func askJSON[T any](t *testing.T, g *gateway, command string) (answer T) {
	t.Helper()
	out, err := g.ask(command, "--json")
	try(t, err)
	try(t, json.Unmarshal([]byte(out), &answer))
	return answer
}

// session is a row of `ftpalg sessions --json`.
type session struct {
	Session      uint64
	Listener     string
	Client       netip.AddrPort
	State        string
	Transferring bool
	Announced    uint64
	Refused      uint64
}

func (g *gateway) sessions(t *testing.T) []session {
	t.Helper()
	return askJSON[[]session](t, g, "sessions")
}

// pinhole is a row of `ftpalg pinholes --json`.
type pinhole struct {
	Session uint64
	Mode    string
	From    netip.Addr
	To      netip.AddrPort
	Target  netip.AddrPort
	State   string
	Expires time.Time
}

func (g *gateway) pinholes(t *testing.T) []pinhole {
	t.Helper()
	return askJSON[[]pinhole](t, g, "pinholes")
}

// signal sends a signal to the gateway.
func (g *gateway) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	try(t, g.command.Process.Signal(s))
}

// ends waits until the gateway's process has ended, and returns its error.
func (g *gateway) ends(t *testing.T) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- g.command.Wait() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(endTimeout):
		t.Fatalf("the gateway did not end within %s", endTimeout)
		return nil
	}
}

// kill ends the gateway as a crash would.
func (g *gateway) kill(t *testing.T) {
	t.Helper()
	g.signal(t, syscall.SIGKILL)
	var exit *exec.ExitError
	if err := g.ends(t); !errors.As(err, &exit) {
		t.Fatalf("the killed gateway ended with %v", err)
	}
}

// stop ends the gateway in order.
func (g *gateway) stop(t *testing.T) {
	t.Helper()
	g.signal(t, syscall.SIGTERM)
	if err := g.ends(t); err != nil {
		t.Fatalf("after SIGTERM the gateway ended with %v", err)
	}
}

func (g *gateway) log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(g.logFile())
	try(t, err)
	return string(text)
}
