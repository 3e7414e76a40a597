package daemon

import (
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
		Policy: policy(l),
	}
	if len(l.Servers) > 0 {
		svc.Server = l.Servers[0]
	}
	if len(l.Servers) > 1 {
		svc.Servers = alg.NewServers(alg.Balance(l.Balance), l.Servers, former)
	}
	return svc
}

var tlsModes = map[config.TLSMode]dialogue.TLS{
	config.TLSOff: dialogue.HideTLS, config.TLSPass: dialogue.PassTLS, config.TLSRefuse: dialogue.RefuseTLS,
	config.TLSOffer: dialogue.OfferTLS, config.TLSRequire: dialogue.RequireTLS,
}

// policy returns what a listener's clients may do.
func policy(l *config.Listener) dialogue.Policy {
	p := dialogue.Policy{
		ThirdParty: l.ThirdParty, TLS: tlsModes[l.TLS.Mode], ServerTLS: l.ServerTLS.Mode != config.ServerTLSOff,
		NoActive: l.Modes == config.ModesPassive, NoPassive: l.Modes == config.ModesActive,
		Deny: l.Deny, Refusal: l.Refusal,
	}
	if l.Commands != config.CommandsAll {
		p.Commands = dialogue.Commands(l.Commands)
	}
	if l.Users != config.UsersAny {
		p.Users = dialogue.Users(l.Users)
	}
	return p
}

// Settings returns what a gateway with this configuration would begin with;
// public addresses that are given by name are not known then.
func Settings(c *config.Config) alg.Settings { return settings(c, table(c)) }

// Service returns what a listener does with the connections it accepts.
func Service(l *config.Listener) alg.Service { return service(l, nil) }
