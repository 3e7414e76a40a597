package labtest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ftpalg/deploy/lab"
)

// startTimeout bounds the start of a firewall.
const startTimeout = 30 * time.Second

// Firewalld is a firewalld on a host, with a message bus of its own.
type Firewalld struct {
	host *lab.Host
	env  []string
}

// busSettings let anybody do anything on the bus, which only the test knows.
const busSettings = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=%s</listen><policy context="default">
<allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
<allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>
</policy></busconfig>
`

// StartFirewalld starts one that writes its rules with iptables, which flushes
// every rule of everybody at each reload.
func StartFirewalld(t *testing.T, host *lab.Host) *Firewalld {
	t.Helper()
	mustHave(t, "firewalld", "firewall-cmd", "dbus-daemon")
	dir := folder(t)
	bus := filepath.Join(dir, "bus")
	must(t, os.WriteFile(filepath.Join(dir, "bus.conf"), fmt.Appendf(nil, busSettings, bus), 0o644))
	must(t, os.MkdirAll(filepath.Join(dir, "etc"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "etc/firewalld.conf"), []byte("DefaultZone=public\nFirewallBackend=iptables\nCleanupOnExit=no\n"), 0o644))
	begin(t, host, nil, "dbus-daemon", "--config-file="+filepath.Join(dir, "bus.conf"), "--nofork", "--nopidfile")
	f := &Firewalld{host, []string{"DBUS_SYSTEM_BUS_ADDRESS=unix:path=" + bus}}
	await(t, "the bus is there", func() error {
		_, err := os.Stat(bus)
		return err
	})
	begin(t, host, f.env, "unshare", "--mount", "sh", "-c", `mount -t tmpfs none /run && exec "$@"`, "sh",
		"firewalld", "--nofork", "--nopid", "--system-config", filepath.Join(dir, "etc"), "--log-file", filepath.Join(dir, "log"), "--log-target", "file")
	await(t, "firewalld runs", func() error { return f.command("--state") })
	return f
}

func (f *Firewalld) command(args ...string) error {
	c := f.host.Command(context.Background(), "firewall-cmd", args...)
	c.Env = append(os.Environ(), f.env...)
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("firewall-cmd %q: %w: %s", args, err, out)
	}
	return nil
}

// Reload has firewalld write all its rules anew. Its ebtables-restore (1.8.9)
// fails now and then with RULE_DELETE where any other program, such as
// iptables in a loop, commits a change meanwhile: then it is said again, as an
// operator would.
func (f *Firewalld) Reload(t *testing.T) {
	t.Helper()
	var err error
	for range 3 {
		if err = f.command("--reload"); err == nil || !strings.Contains(err.Error(), "ebtables-restore") {
			break
		}
		t.Log(err)
	}
	must(t, err)
}

// ufw runs with settings of its own in the place of the machine's, and sets no
// sysctl.
const ufwAlone = `set -e
cp -a /etc/ufw "$1/ufw" 2>/dev/null || true
sed 's|^IPT_SYSCTL=.*|IPT_SYSCTL=|; s|^IPV6=.*|IPV6=no|' /etc/default/ufw >"$1/default"
mount --bind "$1/ufw" /etc/ufw
mount --bind "$1/default" /etc/default/ufw
mount -t tmpfs none /run
shift
exec "$@"`

// StartUFW puts ufw in force on a host, with its defaults: what comes in or is
// forwarded is denied.
func StartUFW(t *testing.T, host *lab.Host) {
	t.Helper()
	mustHave(t, "ufw")
	out, err := host.Command(context.Background(), "unshare", "--mount", "sh", "-c", ufwAlone, "sh", folder(t), "ufw", "--force", "enable").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "active") {
		t.Fatalf("enable ufw: %v: %s", err, out)
	}
	for _, chain := range []string{"INPUT", "FORWARD"} {
		rules, err := host.Iptables("-S", chain)
		if err != nil || !strings.Contains(rules, "-P "+chain+" DROP") || !strings.Contains(rules, "ufw-") {
			t.Fatalf("ufw is not in force: %v\n%s", err, rules)
		}
	}
}

// AddDockersRules adds what Docker 27 has in force with one network, of the
// bridge with this name, from which no port is published.
func AddDockersRules(t *testing.T, host *lab.Host, bridge string) {
	t.Helper()
	rules := fmt.Sprintf(`*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 198.18.1.0/24 ! -o %[1]s -j MASQUERADE
-A DOCKER -i %[1]s -j RETURN
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-USER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o %[1]s -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o %[1]s -j DOCKER
-A FORWARD -i %[1]s ! -o %[1]s -j ACCEPT
-A FORWARD -i %[1]s -o %[1]s -j ACCEPT
-A DOCKER ! -i %[1]s -o %[1]s -j DROP
-A DOCKER-ISOLATION-STAGE-1 -i %[1]s ! -o %[1]s -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o %[1]s -j DROP
-A DOCKER-ISOLATION-STAGE-2 -j RETURN
-A DOCKER-USER -j RETURN
COMMIT
`, bridge)
	c := host.Command(context.Background(), "iptables-restore", "--noflush")
	c.Stdin = strings.NewReader(rules)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("add Docker's rules: %v: %s", err, out)
	}
}

// begin starts a process on a host that goes with the lab.
func begin(t *testing.T, host *lab.Host, env []string, name string, args ...string) {
	t.Helper()
	c := host.Command(context.WithoutCancel(t.Context()), name, args...)
	c.Env = append(os.Environ(), env...)
	must(t, c.Start())
}

// folder returns a folder of the test that everybody may enter.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "ftpalg-lab-")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	must(t, os.Chmod(dir, 0o755))
	return dir
}

// mustHave fails if a program is missing.
func mustHave(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.Fatalf("%v; `make test-tools` installs it", err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// await tries until there is no error.
func await(t *testing.T, what string, check func() error) {
	t.Helper()
	const lookAgain = 20 * time.Millisecond
	var err error
	for range int(startTimeout / lookAgain) {
		if err = check(); err == nil {
			return
		}
		time.Sleep(lookAgain)
	}
	t.Fatalf("%s: not within %s: %v", what, startTimeout, err)
}
