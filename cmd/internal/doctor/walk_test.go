package doctor

import (
	"net/netip"
	"strings"
	"testing"

	"ftpalg/cmd/internal/config"
)

func TestWalkFindsTheRuleThatDecides(t *testing.T) {
	client := packet{
		in: "wan", from: netip.MustParsePrefix("203.0.113.10/32"), to: netip.MustParsePrefix("203.0.113.1/32"),
		port: config.PortRange{First: 21, Last: 21}, local: true,
	}
	answer := client
	answer.established = true
	tests := []struct {
		name, rules string
		packet      packet
		want        string // target and certainty, "" for none
	}{
		{"the policy", ":INPUT DROP [0:0]", client, "DROP surely"},
		{"a rule by port", ":INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 21 -j ACCEPT", client, "ACCEPT surely"},
		{"another port", ":INPUT DROP [0:0]\n-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT", client, "DROP surely"},
		{"another protocol", ":INPUT ACCEPT [0:0]\n-A INPUT -p udp -j DROP", client, "ACCEPT surely"},
		{"a range and a list", ":INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m multiport --dports 80,20:25 -j DROP", client, "DROP surely"},
		{"a network", ":INPUT ACCEPT [0:0]\n-A INPUT -s 203.0.113.0/24 -j DROP", client, "DROP surely"},
		{"not that network", ":INPUT ACCEPT [0:0]\n-A INPUT ! -s 203.0.113.0/24 -j DROP", client, "ACCEPT surely"},
		{"an interface", ":INPUT ACCEPT [0:0]\n-A INPUT -i wan -j DROP", client, "DROP surely"},
		{"interfaces by their beginning", ":INPUT ACCEPT [0:0]\n-A INPUT -i wa+ -j DROP", client, "DROP surely"},
		{"not that interface", ":INPUT DROP [0:0]\n-A INPUT ! -i lan -j ACCEPT", client, "ACCEPT surely"},
		{"a state", ":INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", client, "DROP surely"},
		{"that state", ":INPUT DROP [0:0]\n-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", answer, "ACCEPT surely"},
		{"the older match of states", ":INPUT DROP [0:0]\n-A INPUT -m state --state NEW -j ACCEPT", client, "ACCEPT surely"},
		{"to this machine", ":INPUT ACCEPT [0:0]\n-A INPUT -m addrtype --dst-type LOCAL -j DROP", client, "DROP surely"},
		{"--syn", ":INPUT ACCEPT [0:0]\n-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP", client, "DROP surely"},
		{"a comment says nothing", ":INPUT ACCEPT [0:0]\n-A INPUT -m comment --comment \"no -j ACCEPT \\\" here\" -j DROP", client, "DROP surely"},
		{"an unknown match may hold", ":INPUT ACCEPT [0:0]\n-A INPUT -m recent --update --seconds 60 -j DROP", client, "DROP perhaps"},
		{"an unknown match may accept", ":INPUT DROP [0:0]\n-A INPUT -m set --match-set good src -j ACCEPT", client, "DROP perhaps"},
		{"what decides nothing", ":INPUT ACCEPT [0:0]\n-A INPUT -j LOG --log-prefix \"in: \"\n-A INPUT -j MARK --set-xmark 0x1/0xff", client, "ACCEPT surely"},
		{"a chain of its own", ":INPUT ACCEPT [0:0]\n:FW - [0:0]\n-A INPUT -i wan -j FW\n-A FW -j REJECT --reject-with icmp-port-unreachable", client, "REJECT surely"},
		{"back from a chain", ":INPUT ACCEPT [0:0]\n:FW - [0:0]\n-A INPUT -j FW\n-A FW -p tcp -j RETURN\n-A FW -j DROP", client, "ACCEPT surely"},
		{"a chain that it may come to", ":INPUT DROP [0:0]\n:FW - [0:0]\n-A INPUT -m set --match-set x src -j FW\n-A FW -j ACCEPT", client, "DROP perhaps"},
		{"chains in a circle", ":INPUT ACCEPT [0:0]\n:FW - [0:0]\n-A INPUT -j FW\n-A FW -j FW", client, "ACCEPT surely"},
		{"ours are passed over", ":INPUT DROP [0:0]\n:FTPALG-INPUT - [0:0]\n-A INPUT -p tcp -j FTPALG-INPUT\n-A FTPALG-INPUT -j ACCEPT", client, "DROP surely"},
		{"no such chain", ":FORWARD DROP [0:0]", client, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chains, _, err := parseSave(strings.NewReader("*filter\n" + tt.rules + "\nCOMMIT\n"))
			if err != nil {
				t.Fatal(err)
			}
			h := (&Ruleset{Chains: chains}).walk("filter", "INPUT", tt.packet, false)
			got := ""
			if h.target != "" {
				got = h.target + map[certainty]string{perhaps: " perhaps", surely: " surely"}[h.certainty]
			}
			if got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestWalkEndsAtOurJump(t *testing.T) {
	const before = "*filter\n:INPUT DROP [0:0]\n:FTPALG-INPUT - [0:0]\n%-A INPUT -p tcp -j FTPALG-INPUT\n-A INPUT -j DROP\n"
	for rule, want := range map[string]string{"": "", "-A INPUT -j REJECT\n": "REJECT"} {
		chains, _, err := parseSave(strings.NewReader(strings.Replace(before, "%", rule, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if h := (&Ruleset{Chains: chains}).walk("filter", "INPUT", packet{}, true); h.target != want {
			t.Errorf("with %q before it: %q, want %q", rule, h.target, want)
		}
	}
	chains, _, _ := parseSave(strings.NewReader("*filter\n:INPUT DROP [0:0]\n-A INPUT -j DROP\n"))
	if h := (&Ruleset{Chains: chains}).walk("filter", "INPUT", packet{}, true); h.target != "" {
		t.Errorf("before the jump stands: %q, although it will be put first", h.target)
	}
}
