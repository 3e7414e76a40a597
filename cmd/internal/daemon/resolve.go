package daemon

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"ftpalg/alg/nat"
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
