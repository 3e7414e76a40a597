package daemon

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"

	"ftpalg/alg"
	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/config"
)

// How often the names of nat[].public are looked up: again and again once
// known, since the address of a dial-up line changes, and sooner while a name
// has no address yet.
const (
	lookupEvery = 30 * time.Second
	lookupRetry = 3 * time.Second
	lookupLimit = 5 * time.Second
)

// resolver fills in the public addresses of those NAT mappings that have a
// name instead.
type resolver struct {
	lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)
	log    *slog.Logger
}

func newResolver(log *slog.Logger) *resolver {
	return &resolver{lookup: (&net.Resolver{PreferGo: true, Dial: dialNameServer}).LookupNetIP, log: log}
}

// resolve returns a copy of t with every name looked up. A name that has no
// answer now keeps the address that it had.
func (r *resolver) resolve(ctx context.Context, t nat.Table) nat.Table {
	out := make(nat.Table, len(t))
	copy(out, t)
	for i := range out {
		if m := &out[i]; m.Name != "" {
			m.Public = r.address(ctx, m)
		}
	}
	return out
}

func (r *resolver) address(ctx context.Context, m *nat.Mapping) netip.Addr {
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	family := "ip4"
	if m.Local.Is6() {
		family = "ip6"
	}
	found, err := r.lookup(ctx, family, m.Name)
	if err != nil || len(found) == 0 {
		r.log.Warn("public address cannot be looked up", "event", "lookup_failed", "name", m.Name, "kept", m.Public, "error", err)
		return m.Public
	}
	for _, a := range found {
		if a.Unmap() == m.Public {
			return m.Public // one of several: no reason to change
		}
	}
	now := found[0].Unmap()
	r.log.Info("public address looked up", "event", "lookup", "name", m.Name, "was", m.Public, "is", now)
	return now
}

// named reports whether t has names to look up.
func named(t nat.Table) bool {
	for _, m := range t {
		if m.Name != "" {
			return true
		}
	}
	return false
}

// unresolved lists the names that have no address.
func unresolved(t nat.Table) (names []string) {
	for _, m := range t {
		if m.Name != "" && !m.Public.IsValid() {
			names = append(names, m.Name)
		}
	}
	return names
}

// servers looks up the servers of a listener that has a name for them: its addresses
// of one family, if there are any that of the clients. Without an answer the
// former ones stay.
func (r *resolver) servers(ctx context.Context, l *config.Listener, former []netip.AddrPort) []netip.AddrPort {
	ctx, cancel := context.WithTimeout(ctx, lookupLimit)
	defer cancel()
	families := []string{"ip4", "ip6"}
	if l.Listen[0].Addr().Is6() {
		slices.Reverse(families)
	}
	var problem error
	for _, family := range families {
		found, err := r.lookup(ctx, family, l.ServerName)
		problem = cmp.Or(err, problem)
		var all []netip.AddrPort
		for _, a := range found {
			if at := netip.AddrPortFrom(a.Unmap(), l.ServerPort); l.MayServe(at) {
				all = append(all, at)
			}
		}
		if len(all) == 0 {
			continue
		}
		slices.SortFunc(all, netip.AddrPort.Compare)
		if !slices.Equal(all, former) {
			r.log.Info("servers looked up", "event", "servers_looked_up", "listener", l.Name, "name", l.ServerName, "was", former, "is", all)
		}
		return all
	}
	r.log.Warn("servers cannot be looked up", "event", "servers_lookup_failed", "listener", l.Name, "name", l.ServerName, "kept", former, "error", problem)
	return former
}

// lookUpServers looks up the servers of every listener that has a name for them.
func (d *Daemon) lookUpServers(ctx context.Context, c *config.Config, of map[string]*alg.Servers) {
	for i := range c.Listeners {
		if l := &c.Listeners[i]; l.ServerName != "" && of[l.Name] != nil {
			of[l.Name].Replace(d.resolver.servers(ctx, l, of[l.Name].Addresses()))
		}
	}
}

// serversUnknown lists the names of servers that have no address.
func serversUnknown(c *config.Config, of map[string]*alg.Servers) (names []string) {
	for _, l := range c.Listeners {
		if s := of[l.Name]; l.ServerName != "" && s != nil && len(s.Addresses()) == 0 {
			names = append(names, l.ServerName)
		}
	}
	return names
}

// serversNamed reports whether a listener has a name for its servers.
func serversNamed(c *config.Config) bool {
	return slices.ContainsFunc(c.Listeners, func(l config.Listener) bool { return l.ServerName != "" })
}

// FillServers looks up the names of servers, for those who look at a configuration
// without a gateway. The error says which has no address.
func FillServers(ctx context.Context, c *config.Config) error {
	r := &resolver{lookup: net.DefaultResolver.LookupNetIP, log: slog.New(slog.DiscardHandler)}
	for i := range c.Listeners {
		l := &c.Listeners[i]
		if l.ServerName == "" {
			continue
		}
		if l.Servers = r.servers(ctx, l, nil); len(l.Servers) == 0 {
			return fmt.Errorf("listener %s: server: %s has no address", l.Name, l.ServerName)
		}
	}
	return nil
}
