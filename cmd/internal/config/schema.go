package config

import (
	"slices"
	"time"
)

// field is one key of a mapping.
type field struct {
	key   string
	value value
}

// fields returns the keys of the file, in the order in which they are
// printed. It is the only place that knows them: reading, hints and printing
// all follow it.
func (c *Config) fields() []field {
	return []field{
		{"listeners", groups(&c.Listeners, newListener, (*Listener).fields)},
		{"nat", groups(&c.NAT, zero[NAT], (*NAT).fields)},
		{"data", group(c.Data.fields())},
		{"limits", group(c.Limits.fields())},
		{"rates", group(c.Rates.fields())},
		{"admin", group(c.Admin.fields())},
		{"log", group(c.Log.fields())},
		{"netfilter", group(c.Netfilter.fields())},
		{"user", one(&c.User, name())},
	}
}

func (l *Listener) fields() []field {
	return slices.Concat([]field{
		{"name", one(&l.Name, name())},
		{"listen", oneOrMany(&l.Listen, endpoint("21"))},
		{"server", l.servers()},
		{"balance", one(&l.Balance, choice(BalanceRoundRobin, BalanceLeastSessions, BalanceSource))},
		{"transparent", optional(&l.Transparent, newTransparent, (*Transparent).fields)},
		{"source", one(&l.Source, source())},
		{"tls", l.TLS.value()},
		{"server_tls", l.ServerTLS.value()},
		{"proxy_protocol", optional(&l.ProxyProtocol, newProxyProtocol, (*ProxyProtocol).fields)},
		{"convert", one(&l.Convert, choice(ConvertOff, ConvertPassive, ConvertActive))},
	}, l.Policy.fields(), []field{
		{"policies", groups(&l.Policies, newPolicyFor, (*PolicyFor).fields)},
	})
}

func (t *Transparent) fields() []field {
	return []field{
		{"interface", one(&t.Interface, device())},
		{"ports", many(&t.Ports, whole[uint16](1, 65535))},
		{"clients", many(&t.Clients, prefix())},
		{"servers", many(&t.Servers, prefix())},
		{"method", one(&t.Method, choice(MethodTPROXY, MethodRedirect))},
	}
}

func (n *NAT) fields() []field {
	return []field{
		{"local", one(&n.Local, address())},
		{"public", word{n.parsePublic, n.publicText, described("an IP address, or a DNS name that has one")}},
		{"except", many(&n.Except, prefix())},
		{"ports", optional(&n.Ports, zero[PortMap], (*PortMap).fields)},
	}
}

func (p *PortMap) fields() []field {
	return []field{
		{"local", one(&p.Local, portRange())},
		{"public", one(&p.Public, portRange())},
	}
}

func (d *Data) fields() []field {
	return []field{
		{"path", one(&d.Path, choice(PathAuto, PathConntrack, PathIPTables, PathRelay))},
		{"passive_ports", one(&d.PassivePorts, portRange())},
		{"active_ports", one(&d.ActivePorts, portRange())},
		{"pinhole_timeout", one(&d.PinholeTimeout, duration(time.Second, time.Hour))},
	}
}

func (r *Rates) fields() []field {
	return []field{
		{"connections", one(&r.Connections, whole(0, 1_000_000))},
		{"failed_logins", one(&r.FailedLogins, whole(0, 1_000_000))},
		{"promises", one(&r.Promises, whole(0, 1_000_000))},
		{"ban", one(&r.Ban, duration(time.Second, 7*24*time.Hour))},
	}
}

func (l *Limits) fields() []field {
	return []field{
		{"sessions", one(&l.Sessions, whole(1, 1_000_000))},
		{"sessions_per_client", one(&l.SessionsPerClient, whole(1, 1_000_000))},
		{"promises_per_client", one(&l.PromisesPerClient, whole(1, 65535))},
		{"connect_timeout", one(&l.ConnectTimeout, duration(time.Millisecond, 10*time.Minute))},
		{"idle_timeout", one(&l.IdleTimeout, duration(time.Millisecond, 7*24*time.Hour))},
		{"command_line", one(&l.CommandLine, whole(512, 65536))},
		{"drain_timeout", one(&l.DrainTimeout, duration(time.Millisecond, time.Hour))},
	}
}

func (a *Admin) fields() []field {
	return []field{
		// sun_path holds 108 bytes with its NUL (manual page unix(7)), a path
		// 4096 with its NUL (limits.h).
		{"socket", one(&a.Socket, absolute(107))},
		{"http", one(&a.HTTP, endpoint("9121"))},
		{"token", one(&a.Token, token())},
		{"token_file", one(&a.TokenFile, absolute(4095))},
		{"pprof", one(&a.Pprof, flag())},
	}
}

func (l *Log) fields() []field {
	return []field{
		{"level", one(&l.Level, choice(LevelTrace, LevelDebug, LevelInfo, LevelWarn, LevelError))},
		{"format", one(&l.Format, choice(FormatJSON, FormatText))},
		// PATH_MAX counts the NUL (limits.h).
		{"transfers", one(&l.Transfers, absolute(4095))},
	}
}

func (n *Netfilter) fields() []field {
	return []field{
		{"mark", one(&n.Mark, bit())},
		{"route_table", one(&n.RouteTable, routeTable())},
		// The rule must be asked before the main table, at 32766 (ip-rule(8)).
		{"rule_priority", one(&n.RulePriority, whole(1, 32765))},
	}
}
