package daemon

import (
	"net/netip"
	"sort"

	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/api"
	"ftpalg/rules"
)

// Status says whether the gateway serves, and how.
func (d *Daemon) Status() api.Status {
	kernel := d.remote.status() // before mu is held: the answer may have to wait
	d.mu.Lock()
	defer d.mu.Unlock()
	s := api.Status{
		Version: d.o.Version, Started: d.started, Config: d.file,
		Path: kernel.Path, Why: kernel.Why, Netfilter: kernel.Netfilter,
		Listeners: d.listening(), Certificates: d.certificates, Servers: serverInfos(d.servers), Sessions: len(d.gateway.Sessions()), Pinholes: len(d.gateway.Pinholes()),
		Ports: d.gateway.Ports(), Counters: d.gateway.Counters(),
		Reloaded: d.reloaded, Missing: d.missing(kernel.Health.Verified), ReloadError: d.reloadError,
	}
	s.Ready = len(s.Missing) == 0
	return s
}

// listening lists the sockets in words. The caller holds mu.
func (d *Daemon) listening() []string {
	out := []string{}
	for _, s := range d.sockets {
		out = append(out, s.Name+": "+s.Text)
	}
	sort.Strings(out)
	return out
}

// Sessions lists the open sessions.
func (d *Daemon) Sessions() []api.Session { return d.gateway.Sessions() }

// Session describes one session.
func (d *Daemon) Session(number uint64) (api.SessionDetail, bool) { return d.gateway.Session(number) }

// Kill ends one session with its data connections: the kernel would carry
// them on.
func (d *Daemon) Kill(number uint64) bool {
	ok := d.gateway.Kill(number)
	if ok {
		d.remote.cut(number)
		d.log.Info("session ended by the operator", "event", "session_killed", "session", number)
	}
	return ok
}

// TakeSessions says whether new sessions are taken.
func (d *Daemon) TakeSessions(yes bool) {
	d.gateway.TakeSessions(yes)
	d.log.Info("told whether to take new sessions", "event", "drain", "takes_sessions", yes)
}

// Bans lists the clients that are turned away.
func (d *Daemon) Bans() []api.Ban { return d.gateway.Bans() }

// LiftBan ends the ban of a client, and reports whether there was one.
func (d *Daemon) LiftBan(client netip.Addr) bool {
	ok := d.gateway.LiftBan(client)
	if ok {
		d.log.Info("ban lifted by the operator", "event", "ban_lifted", "client", client)
	}
	return ok
}

// Pinholes lists the promised data connections with their rules.
func (d *Daemon) Pinholes() []api.Pinhole {
	out := d.promised()
	for i := range out {
		out[i].Rules = d.remote.rules(expect.ID(out[i].ID))
	}
	return out
}

// promised lists the promised data connections without their rules.
func (d *Daemon) promised() []api.Pinhole {
	states := make(map[expect.ID]string)
	for _, p := range d.remote.pinholes() {
		states[p.ID] = stateName(p.State)
	}
	open := d.gateway.Pinholes()
	out := make([]api.Pinhole, len(open))
	for i, p := range open {
		out[i] = api.Pinhole{
			ID: uint64(p.ID), Session: p.Session, Mode: p.Mode.String(),
			From: p.From, Reached: p.Reached, Target: p.Target, Seen: p.Seen,
			State: states[p.ID], Expires: p.Until,
		}
		if c, ok := d.gateway.Data(p.ID); ok {
			out[i].Command, out[i].File, out[i].Traffic = c.Command, c.File, c.Traffic
		}
	}
	return out
}

// stateName is how users know a pinhole's state.
func stateName(s rules.State) string {
	if s == rules.Open {
		return "promised"
	}
	return s.String()
}

// keepAddresses carries the looked-up addresses over into a new table, so
// that a name server which is silent just now takes nothing away.
func (d *Daemon) keepAddresses(next nat.Table) nat.Table {
	for i := range next {
		for _, had := range d.table {
			if next[i].Name != "" && had.Name == next[i].Name && had.Local.Is4() == next[i].Local.Is4() {
				next[i].Public = had.Public
			}
		}
	}
	return next
}
