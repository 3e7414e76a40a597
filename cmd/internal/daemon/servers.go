package daemon

import (
	"context"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"ftpalg/alg"
	"ftpalg/cmd/internal/api"
	"ftpalg/cmd/internal/config"
	"ftpalg/cmd/internal/proxyprotocol"
)

// probeEvery is how often each of several servers is tried.
const probeEvery = 10 * time.Second

// serversOf returns the servers of the listeners that have several.
func serversOf(services map[string]*alg.Service) map[string]*alg.Servers {
	all := make(map[string]*alg.Servers)
	for name, svc := range services {
		if svc.Servers != nil {
			all[name] = svc.Servers
		}
	}
	return all
}

// serverInfos describes them, in the order of their listeners' names.
func serverInfos(servers map[string]*alg.Servers) (all []api.Server) {
	for _, name := range slices.Sorted(maps.Keys(servers)) {
		all = append(all, servers[name].Infos(name)...)
	}
	return all
}

// probeServers tries the servers of the listeners that have several, again and
// again until ctx ends.
func (d *Daemon) probeServers(ctx context.Context) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		var trying sync.WaitGroup
		for _, p := range d.probes() {
			trying.Go(func() { d.probe(ctx, p) })
		}
		trying.Wait()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// probe is one server to be tried.
type probe struct {
	listener string
	servers  *alg.Servers
	server   netip.AddrPort
	socket   uint32
	within   time.Duration
	// mute says that its greeting cannot be read: TLS comes before it.
	mute bool
	// header begins the connection, nil for none.
	header []byte
}

// probes lists the servers to be tried.
func (d *Daemon) probes() (all []probe) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, s := range d.sockets {
		servers := d.servers[s.Name]
		if servers == nil || slices.ContainsFunc(all, func(p probe) bool { return p.listener == s.Name }) {
			continue
		}
		i := slices.IndexFunc(d.config.Listeners, func(l config.Listener) bool { return l.Name == s.Name })
		if i < 0 {
			continue
		}
		l := &d.config.Listeners[i]
		var header []byte
		if l.ProxyProtocol != nil && l.ProxyProtocol.Send != config.ProxyOff {
			header = proxyprotocol.LocalHeader(headerVersions[l.ProxyProtocol.Send])
		}
		for _, a := range servers.Addresses() {
			all = append(all, probe{s.Name, servers, a, s.Number, d.config.Limits.ConnectTimeout, l.ServerTLS.Mode == config.ServerTLSImplicit, header})
		}
	}
	return all
}

// probe tries a server and keeps the outcome.
func (d *Daemon) probe(ctx context.Context, p probe) {
	within, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	c, err := d.remote.probe(within, p.socket, p.server)
	if err == nil && p.header != nil {
		_, err = c.Write(p.header)
	}
	switch {
	case err == nil && p.mute:
		c.Close()
	case err == nil:
		err = alg.Greet(c, p.within)
	}
	if ctx.Err() == nil {
		d.gateway.NoteServer(p.listener, p.servers, p.server, err)
	}
}
