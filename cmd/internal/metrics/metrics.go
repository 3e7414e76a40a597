// Package metrics counts what happens, for Prometheus. It is the only place
// that knows the names of metrics. Addresses are never labels: they are
// without bound, and belong into logs.
package metrics

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are all that a gateway counts. Its methods are safe for concurrent
// use.
type Metrics struct {
	registry *prometheus.Registry

	sessions         *prometheus.CounterVec
	sessionDuration  prometheus.Histogram
	rewrites         *prometheus.CounterVec
	refusals         *prometheus.CounterVec
	expectations     *prometheus.CounterVec
	pinholeOpen      prometheus.Histogram
	ruleDrift        prometheus.Counter
	transfers        *prometheus.CounterVec
	transferBytes    *prometheus.CounterVec
	opaque           *prometheus.CounterVec
	relayed          prometheus.Counter
	handshakes       *prometheus.CounterVec
	reloadSuccessful prometheus.Gauge
	reloadTimestamp  prometheus.Gauge
}

// New returns the metrics of a gateway of this build. Everything that can be
// counted is there, at 0.
func New(b Build) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		sessions: counters("sessions_total", "Sessions that have ended, by outcome.", "outcome"),
		sessionDuration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "session_duration_seconds", Help: "How long sessions lasted.",
			Buckets: prometheus.ExponentialBuckets(1, 4, 9), // to 18 hours
		}),
		rewrites:     counters("rewrites_total", "Announcements of data connections, by command and by what the other side was told.", "verb", "result"),
		refusals:     counters("refusals_total", "Lines, announcements and connections that were refused, by reason.", "reason"),
		expectations: counters("expectations_total", "Promised data connections that have ended, by the command that announced them and how they ended.", "mode", "outcome"),
		pinholeOpen: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "pinhole_open_seconds", Help: "How long the kernel took to open a pinhole: the latency that a client feels.",
			Buckets: []float64{25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1, 2.5},
		}),
		ruleDrift: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "rule_drift_total", Help: "Rules that another program had removed or brought back, and that were put right.",
		}),
		transfers:     counters("transfers_total", "Transfers that have ended; listings are downloads.", "direction", "mode"),
		transferBytes: counters("transfer_bytes_total", "Bytes of transfers: with IP and TCP headers where the kernel counts them, without where they are relayed.", "direction", "mode"),
		relayed: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "transfers_relayed_total", Help: "Transfers that have ended whose data passed through the process.",
		}),
		handshakes:       counters("tls_handshakes_total", "Connections that came under TLS whose other end is the gateway, by whether they resumed an earlier one.", "side", "connection", "version", "resumed"),
		opaque:           counters("opaque_sessions_total", "Sessions that asked for encryption, and what became of that.", "action"),
		reloadSuccessful: gauge("config_last_reload_successful", "Whether the last attempt to read the configuration was successful."),
		reloadTimestamp:  gauge("config_last_reload_success_timestamp_seconds", "When the configuration in force was read, in seconds since 1970."),
	}
	m.registry.MustRegister(
		buildInfo(b), m.sessions, m.sessionDuration, m.rewrites, m.refusals, m.expectations, m.pinholeOpen,
		m.ruleDrift, m.transfers, m.transferBytes, m.opaque, m.relayed, m.handshakes,
		m.reloadSuccessful, m.reloadTimestamp,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	m.beginAtZero()
	return m
}

// What is not counted but looked up when somebody asks.
var (
	sessionsActive     = described("sessions_active", "Sessions that are open.")
	controlLines       = described("control_lines_total", "Lines of control connections, by the side that said them.", "side")
	expectationsActive = described("expectations_active", "Data connections that are promised and have not ended.", "mode")
	externalPorts      = described("external_ports", "Data ports of the configured ranges, by use.", "range", "state")
	ruleOperations     = described("rule_operations_total", "Pinholes that were opened and closed, and comparisons of our rules with netfilter, by result.", "op", "result")
	rulesInstalled     = described("rules_installed", "Rules of ours that stood in netfilter at the last check.")
	truncated          = described("data_truncated_total", "Data connections under TLS that ended without a close_notify, and were cut on the other side.")
	certificateEnds    = described("certificate_not_after_timestamp_seconds", "When a listener's certificate ends, in seconds since 1970.", "listener", "names")
	serverUp           = described("server_up", "Whether one of a listener's several servers answered when it was tried last.", "listener", "server")
	serverSessions     = described("server_sessions", "Sessions of one of a listener's several servers.", "listener", "server")
	ready              = described("ready", "Whether the gateway serves, as /readyz says it.")
)

const namespace = "ftpalg"

func described(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
}

// Build is what the program was made from.
type Build struct{ Version, Revision, GoVersion string }

func buildInfo(b Build) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "What the program was built from; always 1.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "goversion": b.GoVersion},
	}, func() float64 { return 1 })
}

// Handler answers `GET /metrics`.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}
