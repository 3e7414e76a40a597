package daemon

import (
	"time"

	"ftpalg/cmd/internal/page"
)

// Snapshot is what the status page shows.
func (d *Daemon) Snapshot() page.Snapshot {
	now := time.Now()
	return page.Snapshot{
		Taken: now, Status: d.Status(), Sessions: d.Sessions(), Pinholes: d.promised(),
		Refusals: d.refusals.list(), Traffic: d.meter.Traffic(now),
	}
}
