package examples

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
)

// sandbox is what the system lets the gateway do. The zero sandbox lets it do
// everything.
type sandbox struct {
	// unit grants what it grants; nil restricts nothing.
	unit unit
	// legacy is a folder in which the plain names are iptables-legacy's; "" for
	// the generation that the machine has in force.
	legacy string
	// notify is the service manager's socket; "" for none.
	notify string
}

// confine makes the file system read-only, but for the folder that is its
// first argument, and runs the others. It fails if something else stays
// writable.
const confine = `set -eu
mount --bind "$1" "$1"; shift
for part in / /run /tmp /var; do
  ! mountpoint -q "$part" || mount -o remount,bind,ro "$part"
done
for part in /etc /run /tmp; do [ ! -w "$part" ]; done
exec "$@"`

// command prepares an ftpalg with the sandbox's rights. It may write to
// runtime, which stands for the unit's own runtime directory.
func (s sandbox) command(t *testing.T, h *lab.Host, runtime string, args ...string) *lab.Command {
	t.Helper()
	words := append([]string{binary()}, args...)
	if s.unit != nil {
		words = append(s.words(t, runtime), words...)
	}
	c := h.Command(context.Background(), words[0], words[1:]...)
	c.Env = os.Environ()
	if s.legacy != "" {
		c.Env = append(c.Env, "PATH="+s.legacy+":"+os.Getenv("PATH"))
	}
	if s.notify != "" {
		c.Env = append(c.Env, "NOTIFY_SOCKET="+s.notify)
	}
	return c
}

// words are the command that gives up what the unit does not grant.
func (s sandbox) words(t *testing.T, runtime string) []string {
	t.Helper()
	user, ambient := s.unit.one(t, "User"), capabilities(s.unit["AmbientCapabilities"])
	return []string{
		requireTool(t, "unshare"), "--mount", "sh", "-c", confine, "sh", runtime,
		requireTool(t, "setpriv"), "--no-new-privs", "--clear-groups", "--reuid", user, "--regid", user,
		"--inh-caps", ambient, "--ambient-caps", ambient,
		"--bounding-set", capabilities(s.unit["CapabilityBoundingSet"]),
	}
}

// capabilities are the listed ones and no other, as setpriv(1) wants them.
func capabilities(list []string) string {
	words := []string{"-all"}
	for _, c := range list {
		words = append(words, "+"+strings.ToLower(strings.TrimPrefix(c, "CAP_")))
	}
	return strings.Join(words, ",")
}

// strict makes the host a strict edge, by the rules of the generation that the
// gateway uses.
func (s sandbox) strict(h *lab.Host) error {
	if s.legacy == "" {
		return h.Strict()
	}
	for _, chain := range []string{"INPUT", "FORWARD"} {
		for _, rule := range [][]string{
			{"-P", chain, "DROP"},
			{"-A", chain, "-m", "conntrack", "--ctstate", "ESTABLISHED", "-j", "ACCEPT"},
		} {
			words := append([]string{"--wait", "10"}, rule...)
			if _, err := h.Command(context.Background(), filepath.Join(s.legacy, "iptables"), words...).Output(); err != nil {
				return err
			}
		}
	}
	return nil
}
