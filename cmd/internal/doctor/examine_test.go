package doctor

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"ftpalg/cmd/internal/config"
)

// fronted is a server behind the gateway which sees the clients themselves;
// edge takes over what crosses it.
const (
	fronted = `
listeners:
  - {name: legacy, listen: 203.0.113.1:21, server: 198.18.1.20:21, source: client}
nat:
  - {local: 203.0.113.1, public: 192.0.2.80}
`
	edge = `
listeners:
  - {name: lan, transparent: {interface: lan, clients: [198.18.0.0/24]}, source: client}
`
	six = `
listeners:
  - {name: six, listen: "[2001:db8:1::1]:21", server: "[2001:db8:2::20]:21"}
`
)

func parse(t *testing.T, text string) *config.Config {
	t.Helper()
	c, err := config.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// sound is a machine in which nothing is wrong for the configurations above.
func sound() *Facts {
	f := &Facts{
		Sysctls: map[string]string{
			"net/ipv4/ip_forward": "1", "net/ipv6/conf/all/forwarding": "1",
			"net/ipv4/ip_local_port_range": "32768\t60999", "net/ipv4/ip_local_reserved_ports": "50000-51999",
			"net/netfilter/nf_conntrack_max": "262144", "net/netfilter/nf_conntrack_count": "100",
			"net/netfilter/nf_conntrack_expect_max": "4096", "net/netfilter/nf_conntrack_acct": "1",
			"net/ipv4/conf/all/rp_filter": "1", "net/ipv4/conf/all/src_valid_mark": "0",
		},
		Modules:   map[string]ModuleState{},
		Installed: []string{"iptables", "ip6tables"},
		Filters: []*Ruleset{
			{Tool: "iptables", Generation: "nf_tables", InForce: true},
			{Tool: "ip6tables", Six: true, Generation: "nf_tables", InForce: true},
			{Tool: "iptables-legacy", Generation: "legacy"},
		},
		Native: &Native{},
		Links: []Link{
			{"wan", true, []netip.Addr{netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("2001:db8:1::1")}},
			{"lan", true, []netip.Addr{netip.MustParseAddr("198.18.1.1")}},
		},
		Listening: []Socket{{At: netip.MustParseAddrPort("203.0.113.1:21"), PID: 7, Program: "ftpalg"}},
		Routes: map[netip.Addr]Route{
			netip.MustParseAddr("198.18.1.20"):    {Device: "lan"},
			netip.MustParseAddr("198.18.0.1"):     {Device: "lan"},
			netip.MustParseAddr("2001:db8:2::20"): {Device: "lan"},
		},
		PolicyRules: []PolicyRule{
			{Priority: 0, Table: 255}, {Priority: 32766, Table: 254},
			{Priority: 2121, Table: 2121, Mark: 0x2000000, Mask: 0x2000000},
		},
		Process:  Rights{1<<40 - 1, 1 << 20},
		Packages: "apt-get install",
	}
	for _, m := range moduleTable() {
		f.Modules[m.name] = ModuleLoaded
	}
	return f
}

func TestNothingIsWrongWithASoundMachine(t *testing.T) {
	for _, text := range []string{fronted, edge, six} {
		for _, found := range Examine(sound(), parse(t, text)) {
			if found.Severity != Good || found.Mend != "" || found.What == "" {
				t.Errorf("%+v\nin %s", found, text)
			}
		}
	}
	if all := Examine(sound(), config.Default()); !slices.ContainsFunc(all, func(f Finding) bool { return f.ID == "forwarding-ipv4" }) {
		t.Errorf("without a configuration: %v", all)
	}
}

// save puts rules, as iptables-save prints them, into a ruleset of f.
func save(f *Facts, ruleset int, text string) {
	f.Filters[ruleset].Chains, f.Filters[ruleset].Incompatible, _ = parseSave(strings.NewReader(text))
}

// nft puts a ruleset, as nft prints it, into f.
func nft(f *Facts, objects string) {
	n, err := parseNative([]byte(`{"nftables": [` + objects + `]}`))
	if err != nil {
		panic(err)
	}
	f.Native = n
}

const (
	nftForward    = `{"chain": {"family": "inet", "table": "fw", "name": "fwd", "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}}`
	nftInput      = `{"chain": {"family": "inet", "table": "fw", "name": "in", "type": "filter", "hook": "input", "prio": 0, "policy": "drop"}}`
	nftPrerouting = `{"chain": {"family": "inet", "table": "fw", "name": "pre", "type": "filter", "hook": "prerouting", "prio": 10, "policy": "accept"}}`
	nftFib        = `{"match": {"op": "==", "left": {"fib": {"result": "oif", "flags": ["saddr", "mark", "iif"]}}, "right": false}}`
	nftRaw        = `{"chain": {"family": "ip", "table": "early", "name": "pre", "type": "filter", "hook": "prerouting", "prio": -300, "policy": "accept"}}`
	nftPort21     = `{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [21, {"range": [990, 1000]}]}}}`
)

func nftRule(chain string, handle string, expr string) string {
	return `{"rule": {"family": ` + chain + `, "handle": ` + handle + `, "expr": [` + expr + `]}}`
}

const (
	inForward    = `"inet", "table": "fw", "chain": "fwd"`
	inPrerouting = `"inet", "table": "fw", "chain": "pre"`
	inInput      = `"inet", "table": "fw", "chain": "in"`
	inRaw        = `"ip", "table": "early", "chain": "pre"`
)

func TestEachFaultIsFoundWithWhatMendsIt(t *testing.T) {
	tests := []struct {
		fault  string
		config string
		breaks func(*Facts)
		want   string // severity, id: the mend; several by line
	}{
		{"no forwarding", fronted, func(f *Facts) { f.Sysctls["net/ipv4/ip_forward"] = "0" },
			"problem forwarding-ipv4: sysctl -w net.ipv4.ip_forward=1"},
		{"no IPv6 forwarding", six, func(f *Facts) { f.Sysctls["net/ipv6/conf/all/forwarding"] = "0" },
			"problem forwarding-ipv6: sysctl -w net.ipv6.conf.all.forwarding=1"},
		{"IPv6 is not used", fronted, func(f *Facts) { f.Sysctls["net/ipv6/conf/all/forwarding"] = "0" }, ""},
		{"the server is this machine", fronted, func(f *Facts) {
			f.Sysctls["net/ipv4/ip_forward"] = "0"
			f.Routes[netip.MustParseAddr("198.18.1.20")] = Route{Device: "lo", Local: true}
		}, ""},
		{"marks are judged", fronted, func(f *Facts) { f.Sysctls["net/ipv4/conf/wan/src_valid_mark"] = "1" },
			"problem src-valid-mark: sysctl -w net/ipv4/conf/wan/src_valid_mark=0"},
		{"marks are judged, which is nothing to a gateway that has none", six, func(f *Facts) { f.Sysctls["net/ipv4/conf/wan/src_valid_mark"] = "1" }, ""},
		{"clients come in where the way back is not", edge, func(f *Facts) { f.Routes[netip.MustParseAddr("198.18.0.1")] = Route{Device: "wan"} },
			"problem rp-filter: sysctl -w net/ipv4/conf/lan/rp_filter=2"},
		{"a loose filter", edge, func(f *Facts) {
			f.Routes[netip.MustParseAddr("198.18.0.1")] = Route{Device: "wan"}
			f.Sysctls["net/ipv4/conf/lan/rp_filter"] = "2"
		}, ""},

		{"iptables is missing", fronted, func(f *Facts) { f.Installed, f.Filters = nil, nil },
			"problem iptables: apt-get install iptables"},
		{"a table belongs to nft", fronted, func(f *Facts) { f.Filters[0].Incompatible = []string{"filter"} },
			"problem iptables: nft -a list table ip filter"},
		{"rules in both generations", fronted, func(f *Facts) { save(f, 2, "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -j ACCEPT\nCOMMIT\n") },
			"warning iptables-generations: iptables-legacy-save | iptables-restore --noflush && iptables-legacy -t filter -F && iptables-legacy -t filter -X && iptables-legacy -t filter -P INPUT ACCEPT"},
		{"our own rules in the other generation", fronted, func(f *Facts) {
			save(f, 2, "*nat\n:FTPALG-PREROUTING - [0:0]\n-A FTPALG-PREROUTING -j RETURN\nCOMMIT\n")
		},
			"problem iptables-generations: ftpalg cleanup"},
		{"a module is missing", fronted, func(f *Facts) { f.Modules["xt_conntrack"] = ModuleAbsent },
			"problem module: modprobe xt_conntrack || grep CONFIG_NETFILTER_XT_MATCH_CONNTRACK /boot/config-$(uname -r)"},
		{"a module of one data path is missing", fronted, func(f *Facts) { f.Modules["nf_conntrack_ftp"] = ModuleAbsent },
			"warning module: modprobe nf_conntrack_ftp || grep CONFIG_NF_CONNTRACK_FTP /boot/config-$(uname -r)"},
		{"a module of the data path that is asked for is missing", "data: {path: conntrack}" + fronted, func(f *Facts) { f.Modules["nf_conntrack_ftp"] = ModuleAbsent },
			"problem module: modprobe nf_conntrack_ftp || grep CONFIG_NF_CONNTRACK_FTP /boot/config-$(uname -r)"},
		{"a module that nothing uses is missing", fronted, func(f *Facts) { f.Modules["xt_TPROXY"] = ModuleAbsent }, ""},
		{"modules load no more", edge, func(f *Facts) { f.Sysctls["kernel/modules_disabled"], f.Modules["xt_TPROXY"] = "1", ModuleLoadable },
			"problem module: echo xt_TPROXY >>/etc/modules-load.d/ftpalg.conf && systemctl reboot"},
		{"modules cannot be seen", fronted, func(f *Facts) { f.Modules["xt_nat"] = ModuleUnknown },
			"warning module: modprobe -a xt_nat"},

		{"a user without rights", fronted, func(f *Facts) { f.Process.Capabilities = 1 << 10 },
			"problem capabilities: sudo ftpalg run --config /etc/ftpalg/ftpalg.yaml"},
		{"a unit without a right", fronted, func(f *Facts) { f.Unit = &Rights{1<<10 | 1<<12, 1 << 20} },
			`problem capabilities: mkdir -p /etc/systemd/system/ftpalg.service.d && printf '[Service]\nCapabilityBoundingSet=CAP_NET_RAW\nAmbientCapabilities=CAP_NET_RAW\n' >/etc/systemd/system/ftpalg.service.d/capabilities.conf && systemctl daemon-reload`},
		{"few descriptors", fronted, func(f *Facts) { f.Process.Files = 1024 },
			"warning file-limit: ulimit -n 20256"},
		{"few descriptors for the unit", fronted, func(f *Facts) { f.Unit = &Rights{1<<40 - 1, 1024} },
			`warning file-limit: mkdir -p /etc/systemd/system/ftpalg.service.d && printf '[Service]\nLimitNOFILE=20256\n' >/etc/systemd/system/ftpalg.service.d/files.conf && systemctl daemon-reload`},

		{"the listener's address is elsewhere", fronted, func(f *Facts) { f.Links[0].Addresses = nil },
			"problem listen-address: ip address add 203.0.113.1/32 dev lo\nproblem nat-local: ip address add 203.0.113.1/32 dev lo"},
		{"the public address is here", fronted, func(f *Facts) { f.Routes[netip.MustParseAddr("192.0.2.80")] = Route{Device: "lo", Local: true} },
			"warning nat-local: ip -brief address"},
		{"the source address is elsewhere", strings.Replace(fronted, "source: client", "source: 198.18.1.7", 1),
			func(f *Facts) { f.Routes[netip.MustParseAddr("198.18.1.7")] = Route{Device: "lan"} },
			"warning source-address: ip address add 198.18.1.7/32 dev lan"},
		{"no such interface", edge, func(f *Facts) { f.Links = f.Links[:1] }, "problem interface: ip -brief link"},
		{"the interface is down", edge, func(f *Facts) { f.Links[1].Up = false }, "problem interface: ip link set lan up"},
		{"no route to the server", fronted, func(f *Facts) { f.Routes[netip.MustParseAddr("198.18.1.20")] = Route{} },
			"problem server-route: ip route add 198.18.1.20 via ROUTER"},

		{"a server of this machine has the port", fronted, func(f *Facts) {
			f.Listening = []Socket{{netip.MustParseAddrPort("[::]:21"), 812, "vsftpd", "vsftpd.service"}}
		}, "problem listen-port: systemctl disable --now vsftpd.service"},
		{"a program has the port", fronted, func(f *Facts) {
			f.Listening = []Socket{{netip.MustParseAddrPort("203.0.113.1:21"), 812, "nc", ""}}
		}, "problem listen-port: kill 812"},
		{"somebody has the port", fronted, func(f *Facts) { f.Listening = []Socket{{At: netip.MustParseAddrPort("0.0.0.0:21")}} },
			"warning listen-port: ss -ltnp 'sport = :21'"},
		{"IPv4 has the port", six, func(f *Facts) { f.Listening = []Socket{{At: netip.MustParseAddrPort("0.0.0.0:21"), PID: 812}} }, ""},
		{"another address has the port", fronted, func(f *Facts) { f.Listening = []Socket{{At: netip.MustParseAddrPort("198.18.1.1:21")}} }, ""},
		{"a program within the data ports", fronted, func(f *Facts) {
			f.Listening = []Socket{{netip.MustParseAddrPort("0.0.0.0:50100"), 99, "java", ""}}
		}, "warning data-port: kill 99"},
		{"data ports are given away", fronted, func(f *Facts) { f.Sysctls["net/ipv4/ip_local_reserved_ports"] = "8080,50000-50999" },
			"warning reserved-ports: sysctl -w net.ipv4.ip_local_reserved_ports=8080,50000-50999,50000-51999"},
		{"data ports are not among those given away", fronted, func(f *Facts) {
			f.Sysctls["net/ipv4/ip_local_reserved_ports"], f.Sysctls["net/ipv4/ip_local_port_range"] = "", "32768\t49999"
		}, ""},

		{"others use our table", fronted, func(f *Facts) {
			f.PolicyRules = append(f.PolicyRules, PolicyRule{Priority: 5000, Table: 2121, Mark: 1, Mask: 1})
		}, "problem policy-route: ip -4 rule del priority 5000"},
		{"a rule comes before ours", fronted, func(f *Facts) { f.PolicyRules = append(f.PolicyRules, PolicyRule{Priority: 100, Table: 100}) },
			"warning policy-route: ip -4 rule del priority 100"},
		{"a rule for something else comes before ours", fronted, func(f *Facts) {
			f.PolicyRules = append(f.PolicyRules, PolicyRule{Priority: 100, Table: 100, Selective: true}, PolicyRule{Priority: 101, Table: 100, Mark: 0xca6c, Mask: 0xffffffff})
		}, ""},
		{"a mark clears ours", fronted, func(f *Facts) {
			save(f, 0, "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i wan -j MARK --set-xmark 0x1/0xffffffff\n-A PREROUTING -i wan -j MARK --set-xmark 0x1/0xff\n")
		}, "warning marks: iptables -t mangle -D PREROUTING -i wan -j MARK --set-xmark 0x1/0xffffffff"},

		{"the table is nearly full", fronted, func(f *Facts) { f.Sysctls["net/netfilter/nf_conntrack_count"] = "250000" },
			"problem conntrack-table: sysctl -w net.netfilter.nf_conntrack_max=524288"},
		{"the table is small", fronted, func(f *Facts) { f.Sysctls["net/netfilter/nf_conntrack_max"] = "16384" },
			"warning conntrack-table: sysctl -w net.netfilter.nf_conntrack_max=44000"},
		{"the kernel expects little", fronted, func(f *Facts) { f.Sysctls["net/netfilter/nf_conntrack_expect_max"] = "1024" },
			"warning expectation-table: sysctl -w net.netfilter.nf_conntrack_expect_max=2000"},
		{"the kernel expects much", fronted, func(f *Facts) { f.Expectations = 4000 },
			"problem expectation-table: sysctl -w net.netfilter.nf_conntrack_expect_max=8192"},
		{"nothing is counted", fronted, func(f *Facts) { f.Sysctls["net/netfilter/nf_conntrack_acct"] = "0" },
			"warning accounting: sysctl -w net.netfilter.nf_conntrack_acct=1"},

		{"the kernel's helper attaches by itself", fronted, func(f *Facts) { f.Sysctls["net/netfilter/nf_conntrack_helper"] = "1" },
			"problem kernel-helper-sysctl: sysctl -w net.netfilter.nf_conntrack_helper=0"},
		{"a rule attaches the kernel's helper", fronted, func(f *Facts) {
			save(f, 0, "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp\n-A PREROUTING -p udp -m udp --dport 69 -j CT --helper tftp\n")
		}, "problem kernel-helper: iptables -t raw -D PREROUTING -p tcp -m tcp --dport 21 -j CT --helper ftp"},
		{"nft attaches the kernel's helper", fronted, func(f *Facts) {
			nft(f, nftRaw+`,{"ct helper": {"family": "ip", "name": "std", "table": "early", "type": "ftp"}},`+nftRule(inRaw, "9", nftPort21+`, {"ct helper": "std"}`))
		}, "problem kernel-helper: nft delete rule ip early pre handle 9"},
		{"control connections are not tracked", fronted, func(f *Facts) {
			save(f, 0, "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -p tcp -m multiport --dports 21,22 -j CT --notrack\n")
		}, "problem notrack: iptables -t raw -D PREROUTING -p tcp -m multiport --dports 21,22 -j CT --notrack"},
		{"nft does not track", fronted, func(f *Facts) { nft(f, nftRaw+`,`+nftRule(inRaw, "3", nftPort21+`, {"notrack": null}`)) },
			"problem notrack: nft delete rule ip early pre handle 3"},

		{"control connections are dropped early", fronted, func(f *Facts) {
			save(f, 0, "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i wan -p tcp -m tcp --dport 21 -j DROP\n")
		}, "problem control-refused: iptables -t raw -D PREROUTING -i wan -p tcp -m tcp --dport 21 -j DROP"},
		{"some control connections are dropped early", fronted, func(f *Facts) {
			save(f, 0, "*raw\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -s 192.0.2.0/24 -j DROP\n")
		}, "warning control-refused: iptables -t raw -D PREROUTING -s 192.0.2.0/24 -j DROP"},
		{"a rule before our jump", fronted, func(f *Facts) {
			save(f, 0, "*filter\n:INPUT ACCEPT [0:0]\n:FTPALG-INPUT - [0:0]\n-A INPUT -p tcp -m tcp --dport 21 -m conntrack --ctstate NEW -j REJECT --reject-with icmp-port-unreachable\n-A INPUT -p tcp -j FTPALG-INPUT\n")
		}, "problem control-refused: iptables -t filter -D INPUT -p tcp -m tcp --dport 21 -m conntrack --ctstate NEW -j REJECT --reject-with icmp-port-unreachable"},
		{"a closed firewall that lets established connections through", fronted, func(f *Facts) {
			save(f, 0, "*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n")
		}, ""},
		{"a closed firewall", fronted, func(f *Facts) { save(f, 0, "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n") },
			"problem established: iptables -t filter -I FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT"},
		{"control connections are sent elsewhere", fronted, func(f *Facts) {
			save(f, 0, "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -d 203.0.113.1/32 -p tcp -m tcp --dport 21 -j DNAT --to-destination 198.18.1.20:21\n")
		}, "problem control-translated: iptables -t nat -D PREROUTING -d 203.0.113.1/32 -p tcp -m tcp --dport 21 -j DNAT --to-destination 198.18.1.20:21"},
		{"nft sends control connections elsewhere", fronted, func(f *Facts) {
			nft(f, strings.NewReplacer(`"filter"`, `"nat"`, "-300", "-100").Replace(nftRaw)+`,`+nftRule(inRaw, "5", nftPort21+`, {"dnat": {"addr": "198.18.1.20"}}`))
		}, "warning control-translated: nft delete rule ip early pre handle 5"},
		{"every data port is sent to the server", fronted, func(f *Facts) {
			save(f, 0, "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -i wan -p tcp -m tcp --dport 50000:50999 -j DNAT --to-destination 198.18.1.20\n")
		}, "warning data-forwarded: iptables -t nat -D PREROUTING -i wan -p tcp -m tcp --dport 50000:50999 -j DNAT --to-destination 198.18.1.20"},
		{"clients are hidden", fronted, func(f *Facts) {
			save(f, 0, "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o lan -j MASQUERADE\n")
		}, "problem source-translated: iptables -t nat -I POSTROUTING -d 198.18.1.20/32 -p tcp -j RETURN"},
		{"clients elsewhere are hidden", fronted, func(f *Facts) {
			save(f, 0, "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o wan -j MASQUERADE\n-A POSTROUTING -d 198.18.1.20/32 -p tcp -j RETURN\n-A POSTROUTING -j MASQUERADE\n")
		}, ""},
		{"clients of an edge may be hidden", edge, func(f *Facts) {
			save(f, 0, "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -o wan -j MASQUERADE\n")
		}, "warning source-translated: iptables -t nat -I POSTROUTING -s 198.18.0.0/24 -p tcp -m multiport --dports 21 -j RETURN && iptables -t nat -I POSTROUTING -p tcp -m connmark --mark 0x4000000/0x4000000 -j RETURN"},

		{"nft drops data connections", fronted, func(f *Facts) { nft(f, nftForward) },
			"problem nft-forward: nft insert rule inet fw fwd ct status dnat accept"},
		{"nft lets translated ones through", fronted, func(f *Facts) {
			nft(f, nftForward+`,`+nftRule(inForward, "2", `{"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": "dnat"}}, {"accept": null}`))
		}, ""},
		{"nft rejects what comes last", fronted, func(f *Facts) {
			nft(f, strings.Replace(nftForward, `"drop"`, `"accept"`, 1)+`,`+nftRule(inForward, "2", `{"reject": {}}`))
		}, "problem nft-forward: nft insert rule inet fw fwd ct status dnat accept"},
		{"nft drops what is not translated", edge, func(f *Facts) {
			nft(f, nftForward+`,`+nftRule(inForward, "2", `{"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": ["dnat"]}}, {"accept": null}`))
		}, "problem nft-forward-marked: nft insert rule inet fw fwd 'ct mark & 0xc000000 != 0 accept'"},
		{"nft lets marked ones through", edge, func(f *Facts) {
			nft(f, nftForward+`,`+nftRule(inForward, "2", `{"match": {"op": "in", "left": {"ct": {"key": "status"}}, "right": "dnat"}}, {"accept": null}`)+`,`+
				nftRule(inForward, "3", `{"match": {"op": "!=", "left": {"&": [{"ct": {"key": "mark"}}, 201326592]}, "right": 0}}, {"accept": null}`))
		}, ""},
		{"nft drops control connections", fronted, func(f *Facts) { nft(f, nftInput) },
			"problem nft-input: nft insert rule inet fw in tcp dport 21 accept"},
		{"firewalld drops control connections", fronted, func(f *Facts) { nft(f, strings.Replace(nftInput, `"fw"`, `"firewalld"`, 1)) },
			"problem nft-input: firewall-cmd --permanent --add-port=21/tcp && firewall-cmd --reload"},
		{"nft judges our packets by their mark", edge, func(f *Facts) { nft(f, nftPrerouting+`,`+nftRule(inPrerouting, "2", nftFib+`, {"drop": null}`)) },
			"problem nft-reverse-path: nft insert rule inet fw pre 'meta mark & 0x2000000 != 0 accept'"},
		{"nft judges others by their mark", edge, func(f *Facts) {
			nft(f, nftPrerouting+`,`+nftRule(inPrerouting, "3", `{"match": {"op": "!=", "left": {"&": [{"meta": {"key": "mark"}}, 33554432]}, "right": 0}}, {"accept": null}`)+`,`+
				nftRule(inPrerouting, "2", nftFib+`, {"drop": null}`))
		}, ""},
		{"nft judges IPv6 by its mark", edge, func(f *Facts) {
			nft(f, nftPrerouting+`,`+nftRule(inPrerouting, "2", `{"match": {"op": "==", "left": {"meta": {"key": "nfproto"}}, "right": "ipv6"}}, `+nftFib+`, {"drop": null}`))
		}, ""},
		{"nft lets control connections through", fronted, func(f *Facts) { nft(f, nftInput+`,`+nftRule(inInput, "2", nftPort21+`, {"accept": null}`)) }, ""},

		{"something cannot be seen", fronted, func(f *Facts) {
			f.Unseen, f.Filters = []Gap{{"the rules of iptables", errors.New("needs root"), "sudo ftpalg doctor"}}, nil
		}, "warning unseen: sudo ftpalg doctor"},
	}
	for _, tt := range tests {
		t.Run(tt.fault, func(t *testing.T) {
			f := sound()
			tt.breaks(f)
			var got []string
			for _, found := range Examine(f, parse(t, tt.config)) {
				if found.Severity == Good {
					continue
				}
				got = append(got, string(found.Severity)+" "+found.ID+": "+found.Mend)
				if found.Why == "" {
					t.Errorf("%s does not say why it matters", found.ID)
				}
			}
			if text := strings.Join(got, "\n"); text != tt.want {
				t.Errorf("found\n%s\nwant\n%s", text, tt.want)
			}
		})
	}
}

// TestWhatCannotBeSeenIsNotCalledGood: a user who may not list the rules is
// told nothing good of them.
func TestWhatCannotBeSeenIsNotCalledGood(t *testing.T) {
	f := sound()
	f.Filters, f.Native = nil, nil
	for _, found := range Examine(f, parse(t, fronted)) {
		for _, of := range []string{"control", "established", "translated", "data-forwarded", "notrack", "marks", "generations", "helper", "nft"} {
			if found.Severity == Good && strings.Contains(found.ID, of) && found.ID != "kernel-helper-sysctl" {
				t.Errorf("%+v", found)
			}
		}
	}
}
