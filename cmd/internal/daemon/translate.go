package daemon

import (
	"fmt"
	"net/netip"
	"slices"

	"ftpalg/alg"
	"ftpalg/alg/dialogue"
	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/config"
)

// The configuration in the words of the packages that obey it.

func settings(c *config.Config, table nat.Table) alg.Settings {
	return alg.Settings{
		NAT:               table,
		PassivePorts:      portRange(c.Data.PassivePorts),
		ActivePorts:       portRange(c.Data.ActivePorts),
		PinholeTimeout:    c.Data.PinholeTimeout,
		ConnectTimeout:    c.Limits.ConnectTimeout,
		IdleTimeout:       c.Limits.IdleTimeout,
		Sessions:          c.Limits.Sessions,
		SessionsPerClient: c.Limits.SessionsPerClient,
		PromisesPerClient: c.Limits.PromisesPerClient,
		Rates:             alg.Rates(c.Rates),
		Relay:             c.Data.Path == config.PathRelay,
		CommandLine:       c.Limits.CommandLine,
	}
}

func portRange(r config.PortRange) nat.Range { return nat.Range{Low: r.First, High: r.Last} }

func table(c *config.Config) nat.Table {
	t := make(nat.Table, len(c.NAT))
	for i, n := range c.NAT {
		t[i] = nat.Mapping{Local: n.Local, Public: n.Public, Name: n.PublicName, Except: n.Except}
		if n.Ports != nil {
			t[i].LocalPorts, t[i].PublicPorts = portRange(n.Ports.Local), portRange(n.Ports.Public)
		}
	}
	return t
}

// service returns what a listener does; former are its servers until now, nil for none.
func service(l *config.Listener, former *alg.Servers) alg.Service {
	svc := alg.Service{
		Name:   l.Name,
		Source: alg.Source{Client: l.Source.Kind == config.SourceClient, Addr: l.Source.Addr},
		Policy: policy(l, &l.Policy, ""),
	}
	for i := range l.Policies {
		p := &l.Policies[i]
		svc.Policies = append(svc.Policies, alg.PolicyFor{
			Clients: p.Clients, Servers: p.Servers, Policy: policy(l, &p.Policy, fmt.Sprintf("policies[%d]: ", i)),
		})
	}
	svc.Proxy = proxyProtocol(l.ProxyProtocol)
	if l.TLS.PassPorts != (config.PortRange{}) {
		svc.PassPorts = portRange(l.TLS.PassPorts)
	}
	if len(l.Servers) > 0 {
		svc.Server = l.Servers[0]
	}
	if l.HasServers() {
		svc.Servers = alg.NewServers(alg.Balance(l.Balance), addresses(l, former), former)
	}
	return svc
}

// addresses returns the servers of a listener; where those are a name's, what was
// last known of it.
func addresses(l *config.Listener, former *alg.Servers) []netip.AddrPort {
	if l.ServerName == "" || former == nil {
		return l.Servers
	}
	return slices.DeleteFunc(former.Addresses(), func(a netip.AddrPort) bool { return !l.MayServe(a) })
}

var tlsModes = map[config.TLSMode]dialogue.TLS{
	config.TLSOff: dialogue.HideTLS, config.TLSPass: dialogue.PassTLS, config.TLSRefuse: dialogue.RefuseTLS,
	config.TLSOffer: dialogue.OfferTLS, config.TLSRequire: dialogue.RequireTLS,
}

// policy returns what clients of a listener may do that have the policy p.
func policy(l *config.Listener, p *config.Policy, where string) dialogue.Policy {
	out := dialogue.Policy{
		ThirdParty: p.ThirdParty, TLS: tlsModes[l.TLS.Mode], ServerTLS: l.ServerTLS.Mode != config.ServerTLSOff,
		ClearControl: l.TLS.ClearControl == config.CCCAllow,
		NoActive:     p.Modes == config.ModesPassive, NoPassive: p.Modes == config.ModesActive,
		Deny: p.Deny, Refusal: p.Refusal, LowestPort: p.LowestDataPort, ServerData: p.ServerData,
		Banner: p.Banner, System: p.System, Where: where,
	}
	if l.Convert != config.ConvertOff {
		out.Convert = dialogue.Convert(l.Convert)
	}
	if p.Commands != config.CommandsAll {
		out.Commands = dialogue.Commands(p.Commands)
	}
	if p.Users != config.UsersAny {
		out.Users = dialogue.Users(p.Users)
	}
	return out
}

// Settings returns what a gateway with this configuration would begin with;
// public addresses that are given by name are not known then.
func Settings(c *config.Config) alg.Settings { return settings(c, table(c)) }

// Service returns what a listener does with the connections it accepts.
func Service(l *config.Listener) alg.Service { return service(l, nil) }
