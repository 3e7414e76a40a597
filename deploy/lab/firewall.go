package lab

import (
	"context"
	"fmt"
	"strings"
)

// strictRules is the strict edge: nothing in, nothing through, except replies
// and what the gateway itself opens. %s takes further rules of a family.
const strictRules = `*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
-A INPUT -i lo -j ACCEPT
-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT
%sCOMMIT
`

// neighbours lets IPv6 find its neighbours (RFC 4861).
const neighbours = "-A INPUT -p ipv6-icmp -j ACCEPT\n"

// Strict sets the policy of INPUT and FORWARD to DROP, IPv4 and IPv6, and
// accepts only the loopback, established connections and ICMPv6.
func (h *Host) Strict() error {
	if err := h.restore("iptables-restore", fmt.Sprintf(strictRules, "")); err != nil {
		return err
	}
	return h.restore("ip6tables-restore", fmt.Sprintf(strictRules, neighbours))
}

func (h *Host) restore(program, rules string) error {
	c := h.Command(context.Background(), program, "--noflush", "--wait", "10")
	c.Stdin = strings.NewReader(rules)
	_, err := c.Output()
	return err
}

// Iptables runs iptables (IPv4) on the host and returns what it printed. It
// waits up to 10 s for the lock that iptables-legacy shares with every host.
func (h *Host) Iptables(args ...string) (string, error) {
	return h.xtables("iptables", args)
}

// Ip6tables is Iptables for IPv6.
func (h *Host) Ip6tables(args ...string) (string, error) {
	return h.xtables("ip6tables", args)
}

func (h *Host) xtables(program string, args []string) (string, error) {
	out, err := h.Command(context.Background(), program, append([]string{"--wait", "10"}, args...)...).Output()
	return string(out), err
}
