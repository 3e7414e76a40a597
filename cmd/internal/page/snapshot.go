package page

import (
	"time"

	"ftpalg/cmd/internal/api"
)

// Source is what the page shows.
type Source interface {
	// Snapshot describes the gateway at this moment. It is called at most once
	// in Every, however many look, and never while nobody does.
	Snapshot() Snapshot
}

// Snapshot is the gateway at one moment.
type Snapshot struct {
	Taken    time.Time
	Status   api.Status
	Sessions []api.Session
	Pinholes []api.Pinhole
	Refusals []api.Refusal
	Traffic  Traffic
}
