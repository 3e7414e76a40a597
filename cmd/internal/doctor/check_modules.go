package doctor

import (
	"slices"
	"strings"

	"ftpalg/cmd/internal/config"
)

// module is one part of the kernel that the gateway's rules use.
type module struct {
	name string
	// option is its name in the kernel's configuration, without CONFIG_.
	option string
	// serves says what does not work without it.
	serves string
	// use reports whether a configuration needs it, with the iptables
	// generation in force.
	use func(c *config.Config, generation string) bool
}

func always(*config.Config, string) bool { return true }
func onNFT(_ *config.Config, generation string) bool {
	return generation == "nf_tables"
}
func onLegacy(c *config.Config, generation string) bool { return generation == "legacy" }
func onLegacy6(c *config.Config, generation string) bool {
	return generation == "legacy" && uses(c, func(w wants) bool { return w.six })
}
func onExpectations(c *config.Config, _ string) bool { return c.Data.Path != config.PathIPTables }
func onTPROXY(c *config.Config, _ string) bool {
	return uses(c, func(w wants) bool { return w.tproxy })
}
func onDelivery(c *config.Config, _ string) bool {
	return uses(c, func(w wants) bool { return w.foreign })
}
func onRedirect(c *config.Config, _ string) bool {
	return uses(c, func(w wants) bool { return w.redirect })
}
func onInterception(c *config.Config, _ string) bool {
	return uses(c, func(w wants) bool { return w.tproxy || w.redirect })
}

func uses(c *config.Config, what func(wants) bool) bool { return slices.ContainsFunc(wanted(c), what) }

// moduleTable is deploy/modules-load.d with what each module is for.
func moduleTable() []module {
	const everything = "no data connection can be let through"
	return []module{
		{"nf_conntrack", "NF_CONNTRACK", everything, always},
		{"nf_conntrack_netlink", "NF_CT_NETLINK", "the data path conntrack does not work, and connections are not followed", onExpectations},
		{"nf_conntrack_ftp", "NF_CONNTRACK_FTP", "the data path conntrack does not work", onExpectations},
		{"xt_helper", "NETFILTER_XT_MATCH_HELPER", "the data path conntrack does not work", onExpectations},
		{"nf_tables", "NF_TABLES", everything, onNFT},
		{"nft_chain_nat", "NFT_NAT", everything, onNFT},
		{"nft_compat", "NFT_COMPAT", everything, onNFT},
		{"xt_conntrack", "NETFILTER_XT_MATCH_CONNTRACK", everything, always},
		{"xt_connmark", "NETFILTER_XT_CONNMARK", everything, always},
		{"xt_nat", "NETFILTER_XT_NAT", everything, always},
		{"xt_hashlimit", "NETFILTER_XT_MATCH_HASHLIMIT", "the data path iptables does not work", always},
		{"xt_time", "NETFILTER_XT_MATCH_TIME", "the data path iptables does not work", always},
		{"xt_tcpudp", "NETFILTER_XTABLES", everything, always},
		{"xt_multiport", "NETFILTER_XT_MATCH_MULTIPORT", everything, always},
		{"xt_comment", "NETFILTER_XT_MATCH_COMMENT", everything, always},
		{"xt_TPROXY", "NETFILTER_XT_TARGET_TPROXY", "listeners with method tproxy do not work; redirect may", onTPROXY},
		{"xt_socket", "NETFILTER_XT_MATCH_SOCKET", "sockets with foreign addresses hear nothing", onDelivery},
		{"xt_mark", "NETFILTER_XT_MARK", "sockets with foreign addresses hear nothing", onDelivery},
		{"xt_REDIRECT", "NETFILTER_XT_TARGET_REDIRECT", "listeners with method redirect do not work; tproxy may", onRedirect},
		{"xt_addrtype", "NETFILTER_XT_MATCH_ADDRTYPE", "transparent listeners do not work", onInterception},
		{"iptable_filter", "IP_NF_FILTER", everything, onLegacy},
		{"iptable_nat", "IP_NF_NAT", everything, onLegacy},
		{"iptable_mangle", "IP_NF_MANGLE", "sockets with foreign addresses hear nothing", onLegacy},
		{"ip6table_filter", "IP6_NF_FILTER", everything, onLegacy6},
		{"ip6table_nat", "IP6_NF_NAT", everything, onLegacy6},
		{"ip6table_mangle", "IP6_NF_MANGLE", "sockets with foreign addresses hear nothing", onLegacy6},
	}
}

func modules(f *Facts, c *config.Config) (out []Finding) {
	const id = "module"
	generation := ""
	if r := f.inForce(false); r != nil {
		generation = r.Generation
	}
	sealed := f.Sysctls["kernel/modules_disabled"] == "1"
	var unknown []string
	for _, m := range moduleTable() {
		if !m.use(c, generation) {
			continue
		}
		found := problem(id, "kernel module %s is missing", m.name).because("Without it " + m.serves + ".")
		if c.Data.Path == config.PathAuto && strings.Contains(m.serves, "data path") {
			found.Severity = Warning // auto takes the other one
		}
		switch state := f.Modules[m.name]; {
		case state == ModuleUnknown:
			unknown = append(unknown, m.name)
		case state == ModuleAbsent:
			out = append(out, found.by("modprobe %s || grep CONFIG_%s /boot/config-$(uname -r)", m.name, m.option))
		case state == ModuleLoadable && sealed:
			found.What = "kernel module " + m.name + " is not loaded, and kernel.modules_disabled keeps it out"
			out = append(out, found.by("echo %s >>/etc/modules-load.d/ftpalg.conf && systemctl reboot", m.name))
		}
	}
	switch {
	case len(unknown) > 0:
		out = append(out, warn("module", "Not looked at: whether the kernel has %s", strings.Join(unknown, ", ")).
			because("Neither /lib/modules nor the kernel's configuration can be read, as in most containers; the machine outside can tell.").
			by("modprobe -a %s", strings.Join(unknown, " ")))
	case len(out) == 0:
		out = append(out, good(id, "the kernel has every module that the rules use"))
	}
	return out
}
