package daemon

import (
	"slices"

	"golang.org/x/sys/unix"

	"ftpalg/alg"
	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/config"
)

// settings are those of the configuration, with no more sessions than there are
// descriptors for: whoever asks how the gateway is must still get an answer.
func (d *Daemon) settings(c *config.Config, table nat.Table) alg.Settings {
	s := settings(c, table)
	var limit unix.Rlimit
	if err := unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		d.log.Error("the limit of descriptors cannot be read", "event", "descriptors", "error", err)
		return s
	}
	s.Rejections = int(max(1, reserved(limit.Cur)/2))
	if room := roomFor(limit.Cur, relays(c)); room < s.Sessions {
		s.Sessions = room
		d.warnOfRoom.Do(func() {
			d.log.Warn("fewer sessions are taken than limits.sessions allows", "event", "few_descriptors",
				"sessions", room, "descriptors", limit.Cur, "help", "raise LimitNOFILE, or ulimit -n; `ftpalg doctor` says how far")
		})
	}
	return s
}

// roomFor returns for how many sessions there are descriptors: each has two
// control connections, and the two sides of a data connection where that is
// relayed.
func roomFor(descriptors uint64, relayed bool) int {
	each := uint64(2)
	if relayed {
		each = 4
	}
	return int(max(1, (descriptors-reserved(descriptors))/each))
}

// reserved returns how many descriptors are not for sessions.
func reserved(descriptors uint64) uint64 {
	const most = 256
	return min(most, descriptors/4)
}

func relays(c *config.Config) bool {
	return c.Data.Path == config.PathRelay || slices.ContainsFunc(c.Listeners, func(l config.Listener) bool { return len(l.Servers) > 0 && l.Relays() })
}
