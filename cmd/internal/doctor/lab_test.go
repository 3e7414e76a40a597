package doctor

import (
	"io"
	"slices"
	"testing"

	"ftpalg/cmd/internal/config"
	"ftpalg/deploy/lab"
	"ftpalg/deploy/lab/labtest"
)

// TestEveryMendMends breaks a real gateway host in many ways, and runs the
// command of each finding there: then it must be gone.
func TestEveryMendMends(t *testing.T) {
	gateway := labtest.New(t, lab.Inbound).Gateway
	shell := func(command string) {
		t.Helper()
		if out, err := gateway.Command(t.Context(), "sh", "-c", command).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	c := parse(t, fronted+"limits: {sessions: 100}\n")
	for _, found := range bad(lookOn(t, gateway, c)) {
		if found.Severity == Problem {
			t.Errorf("before anything is broken: %+v", found)
		}
	}
	occupy(t, gateway)
	want := map[string]string{ // what breaks it, by the finding
		"forwarding-ipv4":      "sysctl -w net.ipv4.ip_forward=0",
		"src-valid-mark":       "sysctl -w net.ipv4.conf.lan.src_valid_mark=1",
		"accounting":           "sysctl -w net.netfilter.nf_conntrack_acct=0",
		"reserved-ports":       "sysctl -w net.ipv4.ip_local_reserved_ports=8080",
		"listen-port":          "true",
		"server-route":         "ip route add unreachable 198.18.1.20/32",
		"policy-route":         "ip rule add priority 77 lookup 2121",
		"marks":                "iptables -t mangle -A PREROUTING -i wan -j MARK --set-mark 1",
		"kernel-helper":        "iptables -t raw -A PREROUTING -p tcp --dport 21 -j CT --helper ftp",
		"notrack":              "iptables -t raw -A PREROUTING -p tcp --dport 20:21 -j CT --notrack",
		"control-refused":      "iptables -t mangle -A INPUT -p tcp --dport 21 -j DROP",
		"control-translated":   "iptables -t nat -A PREROUTING -p tcp --dport 21 -m comment --comment 'the \"old\" way' -j DNAT --to-destination 198.18.1.20",
		"data-forwarded":       "iptables -t nat -A PREROUTING -p tcp --dport 50000:50999 -j DNAT --to-destination 198.18.1.20",
		"source-translated":    "iptables -t nat -A POSTROUTING -o lan -j MASQUERADE",
		"established":          "iptables -P FORWARD DROP",
		"iptables-generations": "iptables-legacy -P INPUT DROP && iptables-legacy -A INPUT -p tcp --dport 22 -j ACCEPT",
		"nft-forward":          "nft add table inet fw && nft add chain inet fw pass '{ type filter hook forward priority 10; policy drop; }'",
		"nft-reverse-path":     "nft add table inet fw && nft add chain inet fw pre '{ type filter hook prerouting priority 10; }' && nft add rule inet fw pre fib saddr . mark . iif oif missing drop",
		"nft-input":            "nft add table inet fw && nft add chain inet fw in '{ type filter hook input priority 10; policy drop; }'",
	}
	for _, command := range want {
		shell(command)
	}
	found := bad(lookOn(t, gateway, c))
	for id := range want {
		if !slices.ContainsFunc(found, func(f Finding) bool { return f.ID == id }) {
			t.Errorf("%s is not found", id)
		}
	}
	const rounds = 3 // what one hides, the next shows
	for range rounds {
		for _, f := range found {
			if f.ID == "server-route" { // the router's name is the operator's to fill in
				f.Mend = "ip route del unreachable 198.18.1.20/32"
			}
			shell(f.Mend)
			if slices.Contains(bad(lookOn(t, gateway, c)), f) {
				t.Errorf("%s is still there after %s", f.ID, f.Mend)
			}
		}
		found = bad(lookOn(t, gateway, c))
	}
	if len(found) > 0 {
		t.Errorf("after all that: %+v", found)
	}
}

// occupy has another program listen where the gateway will, and waits until
// it does.
func occupy(t *testing.T, h *lab.Host) {
	t.Helper()
	const program = "import socket, time; s = socket.create_server(('203.0.113.1', 21)); print(flush=True); time.sleep(600)"
	c := h.Command(t.Context(), "python3", "-c", program)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// lookOn examines a host.
func lookOn(t *testing.T, h *lab.Host, c *config.Config) (found []Finding) {
	t.Helper()
	err := h.Do(func() error {
		found = Examine(Look(t.Context(), Here(), c), c)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// bad returns what is not good.
func bad(all []Finding) []Finding {
	return slices.DeleteFunc(slices.Clone(all), func(f Finding) bool { return f.Severity == Good })
}
