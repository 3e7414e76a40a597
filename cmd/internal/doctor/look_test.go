package doctor

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"ftpalg/cmd/internal/config"
)

// drawn is a machine made of files and of what programs print.
func drawn(files map[string]string, prints map[string]string) Machine {
	tree := fstest.MapFS{}
	for name, text := range files {
		mode := fs.FileMode(0o444)
		if strings.Contains(name, "/fd/") {
			mode |= fs.ModeSymlink
		}
		tree[name] = &fstest.MapFile{Data: []byte(text), Mode: mode}
	}
	return Machine{
		Files: tree,
		Run: func(_ context.Context, name string, args ...string) ([]byte, error) {
			text, known := prints[strings.Join(append([]string{name}, args...), " ")]
			if !known {
				return nil, fmt.Errorf("%s: %w", name, exec.ErrNotFound)
			}
			return []byte(text), nil
		},
		Links:       func() ([]Link, error) { return []Link{{Name: "wan", Up: true}}, nil },
		Route:       func(netip.Addr) (Route, error) { return Route{Device: "wan"}, nil },
		PolicyRules: func() ([]PolicyRule, error) { return nil, nil },
	}
}

func look(t *testing.T, m Machine) *Facts {
	t.Helper()
	return Look(t.Context(), m, parse(t, fronted))
}

func TestLookReadsSettings(t *testing.T) {
	f := look(t, drawn(map[string]string{
		"proc/sys/net/ipv4/ip_forward":             "1\n",
		"proc/sys/net/ipv4/conf/wan/rp_filter":     "2\n",
		"proc/sys/net/ipv4/ip_local_port_range":    "32768\t60999\n",
		"proc/thread-self/net/nf_conntrack_expect": "one\ntwo\n",
		"etc/os-release":                           "NAME=Rocky\nID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n",
		"proc/self/status":                         "Name:\tx\nCapEff:\t0000000000003000\n",
		"proc/self/limits":                         "Limit   Soft Limit   Hard Limit   Units\nMax open files            1024                 524288               files\n",
	}, nil))
	want := map[string]string{"net/ipv4/ip_forward": "1", "net/ipv4/conf/wan/rp_filter": "2", "net/ipv4/ip_local_port_range": "32768\t60999"}
	for key, value := range want {
		if f.Sysctls[key] != value {
			t.Errorf("%s is %q, want %q", key, f.Sysctls[key], value)
		}
	}
	if _, there := f.Sysctls["net/netfilter/nf_conntrack_helper"]; there {
		t.Error("a setting that the kernel does not have is there")
	}
	if f.Expectations != 2 || f.Packages != "dnf install" || f.Process != (Rights{0x3000, 524288}) || f.Unit != nil {
		t.Errorf("%d expectations, %q, %+v, %v", f.Expectations, f.Packages, f.Process, f.Unit)
	}
}

func TestLookReadsTheUnit(t *testing.T) {
	const ask = "systemctl show ftpalg.service --property=LoadState,CapabilityBoundingSet,AmbientCapabilities,User,LimitNOFILE"
	f := look(t, drawn(nil, map[string]string{ask: "LoadState=loaded\nLimitNOFILE=24576\nUser=root\nCapabilityBoundingSet=cap_net_bind_service cap_net_admin\nAmbientCapabilities=\n"}))
	if f.Unit == nil || *f.Unit != (Rights{1<<10 | 1<<12, 24576}) {
		t.Errorf("%+v", f.Unit)
	}
	if f := look(t, drawn(nil, map[string]string{ask: "LoadState=not-found\nLimitNOFILE=524288\n"})); f.Unit != nil {
		t.Errorf("a unit that is not there: %+v", f.Unit)
	}
}

func TestLookTellsWhetherTheKernelHasAModule(t *testing.T) {
	var config bytes.Buffer
	z := gzip.NewWriter(&config)
	fmt.Fprint(z, "CONFIG_NETFILTER_XT_MATCH_TIME=y\n# CONFIG_NETFILTER_XT_MATCH_HASHLIMIT is not set\nCONFIG_NETFILTER_XT_NAT=m\n")
	z.Close()
	tests := []struct {
		name  string
		files map[string]string
		want  map[string]ModuleState
	}{
		{"a distribution's kernel", map[string]string{
			"proc/sys/kernel/osrelease":                 "6.1.0-9-amd64\n",
			"proc/modules":                              "xt_time 16384 0 - Live 0x0\n",
			"lib/modules/6.1.0-9-amd64/modules.dep":     "kernel/net/netfilter/xt_nat.ko.zst: kernel/net/netfilter/nf_nat.ko.zst\n",
			"lib/modules/6.1.0-9-amd64/modules.builtin": "kernel/net/netfilter/xt_mark.ko\n",
		}, map[string]ModuleState{"xt_time": ModuleLoaded, "xt_nat": ModuleLoadable, "xt_mark": ModuleLoaded, "xt_hashlimit": ModuleAbsent}},
		{"a kernel that says how it was made", map[string]string{"proc/config.gz": config.String(), "sys/module/nf_conntrack/refcnt": "1"},
			map[string]ModuleState{"xt_time": ModuleLoaded, "xt_nat": ModuleUnknown, "nf_conntrack": ModuleLoaded, "xt_hashlimit": ModuleAbsent}},
		{"a container", nil, map[string]ModuleState{"xt_time": ModuleUnknown}},
	}
	for _, tt := range tests {
		f := look(t, drawn(tt.files, nil))
		for name, want := range tt.want {
			if got := f.Modules[name]; got != want {
				t.Errorf("%s: %s is in state %d, want %d", tt.name, name, got, want)
			}
		}
	}
}

func TestLookListsTheRulesOfBothGenerations(t *testing.T) {
	const nft, legacy = "iptables v1.8.9 (nf_tables)\n", "iptables v1.8.9 (legacy)\n"
	f := look(t, drawn(nil, map[string]string{
		"iptables --version": nft, "iptables-nft --version": nft, "iptables-legacy --version": legacy,
		"iptables-save":        "*filter\n:INPUT DROP [0:0]\n-A INPUT -i lo -m comment --comment \"a \\\"b\\\"\" -j ACCEPT\nCOMMIT\n# Table `mangle' is incompatible, use 'nft' tool.\n",
		"iptables-legacy-save": "",
	}))
	if len(f.Filters) != 2 || f.Filters[0].Tool != "iptables" || !f.Filters[0].InForce || f.Filters[1].Tool != "iptables-legacy" || f.Filters[1].InForce {
		t.Fatalf("%+v", f.Filters)
	}
	r := f.Filters[0]
	if !slices.Equal(r.Incompatible, []string{"mangle"}) || r.rules() != 1 || r.chain("filter", "INPUT").Policy != "DROP" {
		t.Errorf("%+v", r)
	}
	want := `iptables -t filter -D INPUT -i lo -m comment --comment "a \"b\"" -j ACCEPT`
	if got := r.removal("filter", "INPUT", r.chain("filter", "INPUT").Rules[0]); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if !slices.Equal(f.Installed, []string{"iptables"}) {
		t.Errorf("installed: %v", f.Installed)
	}
}

func TestLookNotesWhatItCannotSee(t *testing.T) {
	m := drawn(nil, map[string]string{"iptables --version": "iptables v1.8.9 (nf_tables)"})
	m.Links = func() ([]Link, error) { return nil, errors.New("no links") }
	m.PolicyRules = func() ([]PolicyRule, error) { return nil, errors.New("no rules") }
	m.Route = func(netip.Addr) (Route, error) { return Route{}, errors.New("no routes") }
	all := ""
	for _, g := range look(t, m).Unseen {
		all += fmt.Sprintf("%s (%v): %s\n", g.What, g.Err, g.Mend)
	}
	for _, want := range []string{"the interfaces (no links): sudo ftpalg doctor\n", "the policy rules (no rules): sudo", "the way to 198.18.1.20 (no routes)", "the rules of iptables (", "program nft (nft: executable file not found in $PATH): apt-get install nftables\n"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not among\n%s", want, all)
		}
	}
}

// proc writes an address as /proc/net/tcp does: words in the machine's order.
func proc(a string) string {
	raw := netip.MustParseAddr(a).AsSlice()
	var b strings.Builder
	for i := 0; i < len(raw); i += 4 {
		fmt.Fprintf(&b, "%08X", binary.NativeEndian.Uint32(raw[i:]))
	}
	return b.String()
}

func TestLookFindsListeningSocketsAndTheirOwners(t *testing.T) {
	line := func(a string, state, inode string) string {
		return "   0: " + a + " 00000000:0000 " + state + " 00000000:00000000 00:00000000 00000000     0        0 " + inode + " 1 0000 100 0 0 10 0\n"
	}
	f := look(t, drawn(map[string]string{
		"proc/thread-self/net/tcp":  "  sl  local_address rem_address   st\n" + line(proc("203.0.113.1")+":0015", "0A", "4711") + line(proc("203.0.113.1")+":0016", "01", "4712"),
		"proc/thread-self/net/tcp6": "  sl\n" + line(proc("2001:db8::1")+":C350", "0A", "99"),
		"proc/812/fd/3":             "socket:[4711]",
		"proc/812/fd/4":             "/dev/null",
		"proc/812/comm":             "vsftpd\n",
		"proc/812/cgroup":           "0::/system.slice/vsftpd.service\n",
	}, nil))
	want := []Socket{
		{netip.MustParseAddrPort("203.0.113.1:21"), 812, "vsftpd", "vsftpd.service"},
		{At: netip.MustParseAddrPort("[2001:db8::1]:50000")},
	}
	if !slices.Equal(f.Listening, want) {
		t.Errorf("%+v\nwant\n%+v", f.Listening, want)
	}
}

// TestTheTableOfModulesIsThatOfModulesLoad compares it with what is installed
// to load them.
func TestTheTableOfModulesIsThatOfModulesLoad(t *testing.T) {
	text, err := os.ReadFile("../../../deploy/modules-load.d/ftpalg.conf")
	if err != nil {
		t.Fatal(err)
	}
	var file, table []string
	for line := range strings.Lines(string(text)) {
		name := strings.TrimPrefix(strings.TrimSpace(line), "#")
		if name != "" && !strings.Contains(name, " ") {
			file = append(file, name)
		}
	}
	for _, m := range moduleTable() {
		table = append(table, m.name)
	}
	slices.Sort(file)
	slices.Sort(table)
	if !slices.Equal(file, table) {
		t.Errorf("modules-load.d has\n%q\nthe table\n%q", file, table)
	}
}

func TestEveryAddressOfTheConfigurationIsLookedUp(t *testing.T) {
	c := parse(t, fronted+"\n")
	var text []string
	for _, a := range addressesOf(c) {
		text = append(text, a.String())
	}
	if got := strings.Join(text, " "); got != "203.0.113.1 198.18.1.20 203.0.113.1 192.0.2.80" {
		t.Error(got)
	}
	if got := addressesOf(parse(t, edge)); len(got) != 1 || got[0].String() != "198.18.0.1" {
		t.Error(got)
	}
	if got := addressesOf(config.Default()); got != nil {
		t.Error(got)
	}
}
