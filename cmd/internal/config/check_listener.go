package config

import (
	"fmt"
	"net/netip"
	"slices"
)

// checkNames reports listeners that share a name.
func (c *Config) checkNames(r *report) {
	first := map[string]int{}
	for i, l := range c.Listeners {
		at, again := first[l.Name]
		switch {
		case l.Name == "":
		case again:
			r.add(index("listeners", i)+".name", "%s names listeners[%d] already", quote(l.Name), at)
		default:
			first[l.Name] = i
		}
	}
}

func (l *Listener) check(r *report, path string) {
	if !r.clean(path) {
		return
	}
	r.require(path+".name", "logs and status tell listeners apart by it")
	l.TLS.check(r, path+".tls")
	l.checkServerTLS(r, path)
	l.checkBalance(r, path+".balance")
	l.checkProxyProtocol(r, path+".proxy_protocol")
	for i := range l.Policies {
		l.Policies[i].check(r, index(path+".policies", i))
	}
	listen, server, transparent := path+".listen", path+".server", path+".transparent"
	switch {
	case !r.clean(transparent):
	case r.given(transparent) && r.given(listen):
		r.add(transparent, "excludes listen; make them two listeners")
	case r.given(transparent) && r.given(server):
		r.add(server, "not with transparent, where each client names its own server")
	case r.given(transparent):
		l.checkTransparent(r, path)
	case !r.given(listen) && !r.given(server) && r.clean(listen, server):
		r.add(path, "needs listen and server, or transparent")
	default:
		r.require(listen, "the address and port at which clients reach the server")
		r.require(server, "the address and port of the server behind this listener")
		l.checkServers(r, path)
	}
}

// checkBalance reports a choice where there is none, and fills in the default.
func (l *Listener) checkBalance(r *report, path string) {
	switch {
	case l.HasServers() && l.Balance == "" && r.clean(path):
		l.Balance = BalanceRoundRobin
	case !l.HasServers() && r.given(path):
		r.add(path, "chooses among several servers; list them in server, or give a name that has several addresses")
	}
}

// checkServers reports a server, or an address towards it, that the listener
// cannot serve.
func (l *Listener) checkServers(r *report, path string) {
	for i, server := range l.Servers {
		at := r.element(path+".server", i)
		if server.IsValid() && slices.Contains(l.Servers[:i], server) {
			r.add(at, "%s is listed twice", quote(server.String()))
			continue
		}
		l.checkServer(r, path, at, server)
	}
}

func (l *Listener) checkServer(r *report, path, at string, server netip.AddrPort) {
	host := server.Addr()
	switch {
	case !host.IsValid():
	case host.IsUnspecified():
		r.add(at, "%s stands for any address; write that of one host", quote(server.String()))
		return
	case host.IsLoopback():
		r.add(at, "data connections cannot be forwarded to %s; have the server listen on another address of this machine", quote(host.String()))
		return
	case slices.Contains(l.Listen, server):
		r.add(at, "%s is the listener itself", quote(server.String()))
		return
	}
	if first := l.Servers[0].Addr(); !sameFamily(first, host) {
		r.add(at, "an %s server beside an %s one; make them two listeners", family(host), family(first))
		return
	}
	for _, listen := range l.Listen {
		if l.Source.Kind == SourceClient && !sameFamily(listen.Addr(), host) {
			r.add(at, "an %s server cannot see the %s addresses of clients; `source: gateway` converts", family(host), family(listen.Addr()))
			return
		}
	}
	if !sameFamily(l.Source.Addr, host) {
		r.add(path+".source", "%s is an %s address, and the server has an %s one", quote(l.Source.String()), family(l.Source.Addr), family(host))
	}
}

// taken is an address that is listened on, and the path that says so.
type taken struct {
	path string
	addr netip.AddrPort
}

// checkEndpoints reports addresses that are listened on twice.
func (c *Config) checkEndpoints(r *report) {
	byPort := map[uint16][]taken{}
	claim := func(path string, addr netip.AddrPort) {
		if !addr.IsValid() {
			return
		}
		for _, t := range byPort[addr.Port()] {
			if problem := clash(addr, t); problem != "" {
				r.add(path, "%s", problem)
				break
			}
		}
		byPort[addr.Port()] = append(byPort[addr.Port()], taken{path, addr})
	}
	for i, l := range c.Listeners {
		path := index("listeners", i) + ".listen"
		for j, addr := range l.Listen {
			claim(r.element(path, j), addr)
		}
	}
	claim("admin.http", c.Admin.HTTP)
}

// clash says why addr cannot be listened on beside t; nothing if it can.
func clash(addr netip.AddrPort, t taken) string {
	mine, its := addr.Addr(), t.addr.Addr()
	switch {
	case addr == t.addr:
		return fmt.Sprintf("%s is taken by %s already", addr, t.path)
	case mine.Is4() != its.Is4():
		return ""
	case its.IsUnspecified():
		return fmt.Sprintf("%s is part of %s, which %s takes", addr, t.addr, t.path)
	case mine.IsUnspecified():
		return fmt.Sprintf("%s includes %s, which %s takes", addr, t.addr, t.path)
	}
	return ""
}
