package daemon

import (
	"time"

	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/page"
)

// Snapshot is what the status page shows.
func (d *Daemon) Snapshot() page.Snapshot {
	s, now := d.Status(), time.Now()
	return page.Snapshot{
		Taken: now, Version: s.Version, Started: s.Started,
		Ready: s.Ready, Missing: s.Missing, Path: s.Path, Why: s.Why, Listeners: s.Listeners,
		Sessions: d.sessionRows(), Pinholes: d.pinholeRows(),
		Pools:     []page.Pool{pool("Passive", s.Ports.Passive), pool("Active", s.Ports.Active)},
		Refusals:  d.refusals.list(),
		Traffic:   d.meter.Traffic(now),
		Uncounted: s.Counters.Transfers > 0 && !s.Counters.Counted,
	}
}

func (d *Daemon) sessionRows() []page.Session {
	open := d.Sessions()
	rows := make([]page.Session, len(open))
	for i, s := range open {
		rows[i] = page.Session{
			Number: s.Session, Listener: s.Listener, Client: s.Client, Server: s.Server, State: s.State,
			Idle: s.Idle, Transferring: s.Transferring, Bytes: s.FromClient + s.FromServer,
		}
	}
	return rows
}

func (d *Daemon) pinholeRows() []page.Pinhole {
	open := d.Pinholes()
	rows := make([]page.Pinhole, len(open))
	for i, p := range open {
		rows[i] = page.Pinhole{
			Session: p.Session, Mode: p.Mode, From: p.From, To: p.To, Target: p.Target,
			State: p.State, Expires: p.Expires,
		}
	}
	return rows
}

func pool(name string, l nat.Level) page.Pool {
	return page.Pool{Name: name, Ports: l.Total, Promised: l.Leased, Resting: l.Resting}
}
