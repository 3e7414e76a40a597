package top

import (
	"ftpalg/cmd/internal/api"
	"time"
)

// rates are what is carried at this time, in bytes a second.
type rates struct {
	toClients, toServers float64
	sessions             map[uint64]float64
	// past are the latest sums of both directions, the last one newest.
	past []float64
}

// keptRates is how many past rates are kept: one a second is a minute.
const keptRates = 60

// take compares two snapshots.
func (r *rates) take(before, now Snapshot) {
	span := now.At.Sub(before.At)
	switch {
	case before.Err != nil, before.At.IsZero(), !before.Status.Started.Equal(now.Status.Started):
		*r = rates{} // it is another gateway
		return
	case span < every/2:
		return // the kernel tells twice a second
	}
	was, is := before.Status.Counters.Traffic, now.Status.Counters.Traffic
	r.toClients, r.toServers = per(span, was.FromServer, is.FromServer), per(span, was.FromClient, is.FromClient)
	r.past = append(r.past, r.toClients+r.toServers)
	r.past = r.past[max(len(r.past)-keptRates, 0):]
	old := make(map[uint64]uint64, len(before.Sessions))
	for i := range before.Sessions {
		old[before.Sessions[i].Session] = carried(&before.Sessions[i])
	}
	r.sessions = make(map[uint64]float64, len(now.Sessions))
	for i := range now.Sessions {
		s := &now.Sessions[i]
		r.sessions[s.Session] = per(span, old[s.Session], carried(s))
	}
}

// per returns how much of a counter came in each second.
func per(span time.Duration, before, now uint64) float64 {
	return float64(max(now, before)-before) / span.Seconds()
}

func carried(s *api.Session) uint64 { return s.FromClient + s.FromServer }
