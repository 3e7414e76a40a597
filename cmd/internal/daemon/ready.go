package daemon

import (
	"fmt"
	"sort"
	"time"

	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/metrics"
	"ftpalg/rules"
)

// unverified is how old the last comparison of our rules with the kernel's
// may be, if the gateway is to be ready. Each may have to wait for another
// program's lock.
const unverified = 15 * rules.DefaultCheckEvery

// missing says in words what keeps the gateway from being ready; verified is
// when rules were last compared with the kernel's. The caller holds mu.
func (d *Daemon) missing(verified time.Time) (out []string) {
	switch {
	case d.stopping:
		return []string{"it is stopping: sessions end when their transfers have"}
	case !d.ready:
		return []string{"it is starting"}
	}
	if !d.gateway.TakesSessions() {
		out = append(out, fmt.Sprintf("it is drained: it takes no new sessions, and %d are left", len(d.gateway.Sessions())))
	}
	for _, err := range d.down {
		out = append(out, err.Error())
	}
	for _, name := range unresolved(d.table) {
		out = append(out, "nat public name "+name+" has no address yet")
	}
	for _, name := range withoutCertificate(d.config, d.certificates) {
		out = append(out, "listener "+name+" has no certificate yet")
	}
	for _, name := range serversUnknown(d.config, d.servers) {
		out = append(out, "server "+name+" has no address yet")
	}
	if time.Since(d.rulesFailed) < 2*rules.DefaultCheckEvery {
		out = append(out, d.rulesFailedBy)
	} else if age := time.Since(verified); age > unverified {
		out = append(out, fmt.Sprintf("rules were not compared with the kernel's for %s", age.Round(time.Second)))
	}
	ports := d.gateway.Ports()
	out = append(out, exhausted("data.passive_ports", ports.Passive)...)
	out = append(out, exhausted("data.active_ports", ports.Active)...)
	sort.Strings(out)
	return out
}

// exhausted says if a range has no port left that could be promised. One that
// rests could.
func exhausted(key string, l nat.Level) []string {
	if l.Free+l.Resting > 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s: all %d ports are in use", key, l.Total)}
}

// measure is what the metrics look up.
func (d *Daemon) measure() metrics.State {
	return metrics.State{Status: d.Status(), Expectations: d.gateway.Pinholes(), Rules: d.remote.status().Health}
}
