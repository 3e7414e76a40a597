package examples

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"

	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/labtest"
)

func TestPromisedPortsAreReserved(t *testing.T) {
	var promised, reserved portSet
	promised.add(t, defaultOf(t, "passive_ports"))
	promised.add(t, defaultOf(t, "active_ports"))
	for _, r := range strings.Split(sysctls(t)["net.ipv4.ip_local_reserved_ports"], ",") {
		reserved.add(t, r)
	}
	if reserved != promised {
		t.Errorf("%d ports are reserved, the defaults promise %d, and they differ", reserved.size(), promised.size())
	}
}

func TestEverySysctlTakesEffect(t *testing.T) {
	n := labtest.Network(t)
	h, err := n.Host("gateway")
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range sysctls(t) {
		// All others may belong to the machine, not to the host.
		own := key == "net.netfilter.nf_conntrack_acct" || strings.HasPrefix(key, "net.ipv4.") || strings.HasPrefix(key, "net.ipv6.")
		if !own {
			t.Errorf("%s is no setting of a network namespace", key)
			continue
		}
		got, err := setSysctl(h, key, value)
		if err != nil || got != value {
			t.Errorf("%s set to %q is %q: %v", key, value, got, err)
		}
	}
}

func TestReversePathFilterMayBeStrict(t *testing.T) {
	t.Parallel()
	for _, e := range examples()[:2] { // a foreign source address, and TPROXY
		e.prepare = func(top *lab.Topology) error {
			_, err := setSysctl(top.Gateway, "net.ipv4.conf.all.rp_filter", "1")
			return err
		}
		t.Run(e.gateway, func(t *testing.T) { e.run(t, sandbox{}) })
	}
}

// setSysctl sets a key of the host and returns what the kernel made of it.
func setSysctl(h *lab.Host, key, value string) (string, error) {
	file := "/proc/sys/" + strings.ReplaceAll(key, ".", "/")
	var got []byte
	err := h.Do(func() error {
		written := os.WriteFile(file, []byte(value), 0)
		text, read := os.ReadFile(file)
		got = text
		return errors.Join(written, read)
	})
	return strings.TrimSpace(string(got)), err
}

// sysctls returns the keys and values of the sysctl.d file.
func sysctls(t *testing.T) map[string]string {
	t.Helper()
	values := map[string]string{}
	for _, line := range settings(t, "sysctl.d", "90-ftpalg.conf") {
		key, value, found := strings.Cut(line, " = ")
		if !found {
			t.Fatalf("sysctl.d: %q is no setting", line)
		}
		values[key] = value
	}
	return values
}

// portSet holds a mark for each port.
type portSet [1 << 16]bool

// add puts in a range as the kernel and the configuration write it: 50000-50999.
func (s *portSet) add(t *testing.T, text string) {
	t.Helper()
	from, to, found := strings.Cut(text, "-")
	first, badFirst := strconv.ParseUint(from, 10, 16)
	last, badLast := strconv.ParseUint(to, 10, 16)
	if err := errors.Join(badFirst, badLast); err != nil || !found {
		t.Fatalf("ports %q: %v", text, err)
	}
	for port := first; port <= last; port++ {
		s[port] = true
	}
}

func (s *portSet) size() (n int) {
	for _, in := range s {
		if in {
			n++
		}
	}
	return n
}
