package doctor

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
)

// sysctls reads the settings that the checks ask for.
func (l *looker) sysctls() {
	keys := []string{
		"kernel/modules_disabled",
		"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding",
		"net/ipv4/ip_local_port_range", "net/ipv4/ip_local_reserved_ports",
		"net/netfilter/nf_conntrack_max", "net/netfilter/nf_conntrack_count", "net/netfilter/nf_conntrack_expect_max",
		"net/netfilter/nf_conntrack_acct", "net/netfilter/nf_conntrack_helper",
	}
	for _, name := range append([]string{"all"}, l.facts.linkNames()...) {
		keys = append(keys, "net/ipv4/conf/"+name+"/rp_filter", "net/ipv4/conf/"+name+"/src_valid_mark")
	}
	l.facts.Sysctls = make(map[string]string)
	for _, key := range keys {
		if b, err := fs.ReadFile(l.Files, "proc/sys/"+key); err == nil {
			l.facts.Sysctls[key] = strings.TrimSpace(string(b))
		}
	}
}

// kernel is what can be read of the running kernel's modules.
type kernel struct {
	loaded, loadable map[string]bool
	listed           bool // there is a list of loadable modules
	options          map[string]string
}

// modules finds out about each module of the table.
func (l *looker) modules() {
	k := l.kernel()
	l.facts.Modules = make(map[string]ModuleState)
	for _, m := range moduleTable() {
		l.facts.Modules[m.name] = k.state(m)
	}
}

func (k kernel) state(m module) ModuleState {
	option, configured := k.options["CONFIG_"+m.option]
	switch {
	case k.loaded[m.name] || option == "y":
		return ModuleLoaded
	case k.loadable[m.name]:
		return ModuleLoadable
	case k.listed, k.options != nil && !configured:
		return ModuleAbsent
	}
	return ModuleUnknown
}

// kernel reads /proc/modules, /sys/module, the lists of depmod(8), and the
// kernel's configuration.
func (l *looker) kernel() kernel {
	k := kernel{loaded: make(map[string]bool), loadable: make(map[string]bool)}
	for line := range strings.Lines(l.text("proc/modules")) {
		name, _, _ := strings.Cut(line, " ")
		k.loaded[name] = true
	}
	entries, _ := fs.ReadDir(l.Files, "sys/module") // a container may hide it
	for _, e := range entries {
		k.loaded[e.Name()] = true
	}
	release := l.text("proc/sys/kernel/osrelease")
	dir := "lib/modules/" + release + "/"
	for line := range strings.Lines(l.text(dir + "modules.builtin")) {
		k.loaded[moduleName(line)] = true
	}
	for line := range strings.Lines(l.text(dir + "modules.dep")) {
		file, _, _ := strings.Cut(line, ":")
		k.loadable[moduleName(file)] = true
		k.listed = true
	}
	k.options = l.kernelOptions(release)
	return k
}

// moduleName returns the name of the module in a file such as
// kernel/net/netfilter/xt_time.ko.zst.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(strings.TrimSpace(file)), ".")
	return strings.ReplaceAll(name, "-", "_")
}

// kernelOptions returns the options that are set, nil if the configuration
// cannot be read.
func (l *looker) kernelOptions(release string) map[string]string {
	text, err := l.gunzip("proc/config.gz")
	if err != nil {
		text, err = fs.ReadFile(l.Files, "boot/config-"+release)
	}
	if err != nil {
		return nil
	}
	options := make(map[string]string)
	for line := range strings.Lines(string(text)) {
		if name, value, set := strings.Cut(strings.TrimSpace(line), "="); set {
			options[name] = value
		}
	}
	return options
}

// longestConfig bounds a kernel's configuration, in bytes.
const longestConfig = 4 << 20

func (l *looker) gunzip(name string) ([]byte, error) {
	b, err := fs.ReadFile(l.Files, name)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(z, longestConfig))
	return text, errors.Join(err, z.Close())
}

// expectations counts what the kernel expects just now.
func (l *looker) expectations() {
	b, err := fs.ReadFile(l.Files, "proc/thread-self/net/nf_conntrack_expect")
	switch {
	case errors.Is(err, fs.ErrNotExist): // connection tracking is not loaded, or not shown
	case err != nil:
		l.unseen("how many connections the kernel expects", err)
	default:
		l.facts.Expectations = bytes.Count(b, []byte("\n"))
	}
}
