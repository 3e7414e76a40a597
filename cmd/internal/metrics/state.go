package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"ftpalg/alg/expect"
	"ftpalg/alg/nat"
	"ftpalg/cmd/internal/api"
	"ftpalg/rules"
)

// State is what a gateway is like when somebody asks.
type State struct {
	api.Status
	// Expectations are the promised data connections.
	Expectations []expect.Expectation
	Rules        rules.Health
}

// Watch has the state looked up whenever somebody asks for metrics. It may be
// called once.
func (m *Metrics) Watch(look func() State) { m.registry.MustRegister(watcher(look)) }

// watcher is a prometheus.Collector.
type watcher func() State

func (w watcher) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{sessionsActive, controlLines, expectationsActive, externalPorts, ruleOperations, rulesInstalled, truncated, certificateEnds, serverUp, serverSessions, ready} {
		to <- d
	}
}

func (w watcher) Collect(to chan<- prometheus.Metric) {
	s := w()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	gauge(ready, number(s.Ready))
	gauge(sessionsActive, float64(s.Sessions))
	gauge(rulesInstalled, float64(s.Rules.Installed))
	counter(controlLines, s.Counters.ClientLines, "client")
	counter(controlLines, s.Counters.ServerLines, "server")
	to <- prometheus.MustNewConstMetric(truncated, prometheus.CounterValue, float64(s.Counters.Truncated))
	for _, c := range s.Certificates {
		gauge(certificateEnds, float64(c.NotAfter.Unix()), c.Listener, strings.Join(c.Names, ","))
	}
	for _, v := range s.Servers {
		gauge(serverUp, number(v.Up), v.Listener, v.Server.String())
		gauge(serverSessions, float64(v.Sessions), v.Listener, v.Server.String())
	}
	for op, t := range map[string]rules.Tally{"open": s.Rules.Opened, "close": s.Rules.Closed, "reconcile": s.Rules.Reconciled} {
		counter(ruleOperations, t.Done, op, "ok")
		counter(ruleOperations, t.Failed, op, "failed")
	}
	active := map[expect.Mode]int{}
	for _, e := range s.Expectations {
		active[e.Mode]++
	}
	for _, m := range modes {
		gauge(expectationsActive, float64(active[m]), modeLabel(m))
	}
	for name, l := range map[string]nat.Level{"passive": s.Ports.Passive, "active": s.Ports.Active} {
		gauge(externalPorts, float64(l.Free), name, "free")
		gauge(externalPorts, float64(l.Leased), name, "leased")
		gauge(externalPorts, float64(l.Resting), name, "quarantined")
	}
}
