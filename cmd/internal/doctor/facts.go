package doctor

import (
	"net/netip"
	"slices"
	"strconv"

	"ftpalg/cmd/internal/config"
)

// Facts is what is known of a machine, in one network namespace.
type Facts struct {
	// Sysctls holds settings by their path below /proc/sys, such as
	// net/ipv4/ip_forward. What the kernel does not have is absent.
	Sysctls map[string]string
	// Modules holds the state of each module in the table of needs.
	Modules map[string]ModuleState
	// Installed are the plain iptables tools that there are.
	Installed []string
	// Filters are the rules of each iptables generation and family; Native
	// those of nftables proper, nil if they could not be listed.
	Filters []*Ruleset
	Native  *Native
	// Links are the interfaces.
	Links []Link
	// Listening are the TCP sockets that wait for connections.
	Listening []Socket
	// Routes are the ways to the addresses of the configuration.
	Routes map[netip.Addr]Route
	// PolicyRules are those of ip-rule(8), both families.
	PolicyRules []PolicyRule
	// Expectations is how many connections the kernel expects just now.
	Expectations int
	// Process is this process; Unit the systemd unit ftpalg.service, nil if
	// there is none.
	Process Rights
	Unit    *Rights
	// Certificates are those that listeners show to clients.
	Certificates []Certificate
	// Packages is the command that installs a package here.
	Packages string
	// Unseen lists what could not be looked at.
	Unseen []Gap
}

// Gap is something that could not be looked at.
type Gap struct {
	What string
	Err  error
	// Mend is the command after which it can; "" if none is known.
	Mend string
}

// ModuleState is whether the kernel has a module.
type ModuleState uint8

// The states. Unknown is what a container shows that hides /lib/modules.
const (
	ModuleUnknown  ModuleState = iota
	ModuleLoaded               // or built in
	ModuleLoadable             // comes by itself when a rule needs it
	ModuleAbsent
)

// Link is one interface with its addresses.
type Link struct {
	Name      string
	Up        bool
	Addresses []netip.Addr
}

// Socket is a listening TCP socket.
type Socket struct {
	At netip.AddrPort
	// PID and Program are its owner, 0 and "" if not known; Unit is the
	// owner's systemd unit, "" for none.
	PID     int
	Program string
	Unit    string
}

// Route is the way to an address.
type Route struct {
	// Device is where packets leave; "" means that there is no way.
	Device string
	// Local says that the address is this machine's own.
	Local bool
}

// PolicyRule is one rule of ip-rule(8).
type PolicyRule struct {
	Six             bool
	Priority, Table int
	Mark, Mask      uint32
	// Selective says that other matches than the mark limit the rule.
	Selective bool
}

// Rights are what a process may do, and hold.
type Rights struct {
	// Capabilities is a mask of capability numbers (capabilities(7)).
	Capabilities uint64
	// Files is the limit of open descriptors.
	Files uint64
}

// sysctl returns a setting as a number, 0 where the kernel does not have it.
func (f *Facts) sysctl(key string) int {
	n, err := strconv.Atoi(f.Sysctls[key])
	if err != nil {
		return 0
	}
	return n
}

// has reports whether a is an address of this machine.
func (f *Facts) has(a netip.Addr) bool { return f.deviceOf(a) != "" || f.Routes[a].Local }

// deviceOf returns the interface that has the address, "" for none.
func (f *Facts) deviceOf(a netip.Addr) string {
	for _, l := range f.Links {
		if slices.Contains(l.Addresses, a) {
			return l.Name
		}
	}
	return ""
}

func (f *Facts) link(name string) (Link, bool) {
	i := slices.IndexFunc(f.Links, func(l Link) bool { return l.Name == name })
	if i < 0 {
		return Link{}, false
	}
	return f.Links[i], true
}

// listed reports whether the rules of every family in use could be listed;
// where not, nothing good can be said of them.
func (f *Facts) listed(c *config.Config) bool {
	return !slices.ContainsFunc(wanted(c), func(w wants) bool { return f.inForce(w.six) == nil })
}

// inForce returns the rules of the iptables generation that ftpalg uses, nil
// if they could not be listed.
func (f *Facts) inForce(six bool) *Ruleset {
	for _, r := range f.Filters {
		if r.Six == six && r.InForce {
			return r
		}
	}
	return nil
}
