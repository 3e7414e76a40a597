package metrics

import (
	"net/netip"
	"strings"
	"time"

	"ftpalg/alg"
)

// Observer returns what counts for the gateway.
func (m *Metrics) Observer() alg.Observer {
	return alg.Observer{
		Ended:         m.ended,
		Rejected:      func(_ string, _ netip.AddrPort, why alg.Rejection) { m.refusals.WithLabelValues(string(why)).Inc() },
		Refused:       m.refused,
		Announced:     m.announced,
		PinholeEnded:  m.promiseEnded,
		Opaque:        m.opaqueSession,
		TransferEnded: m.transferEnded,
		Secured:       m.secured,
	}
}

func (m *Metrics) ended(_ alg.SessionInfo, o alg.Outcome, d time.Duration) {
	m.sessions.WithLabelValues(string(o)).Inc()
	m.sessionDuration.Observe(d.Seconds())
}

// refused counts a line. An announcement that the dialogue does not believe
// is one that the other side was not told.
func (m *Metrics) refused(r alg.Refusal) {
	m.refusals.WithLabelValues(string(r.Reason)).Inc()
	for _, mode := range modes {
		if string(r.Verb) == mode.String() {
			m.rewrites.WithLabelValues(modeLabel(mode), string(alg.NotOpened)).Inc()
		}
	}
}

func (m *Metrics) announced(a alg.Announced) {
	m.rewrites.WithLabelValues(modeLabel(a.Mode), string(a.Result)).Inc()
	if a.Cause != alg.NoCause {
		m.refusals.WithLabelValues(string(a.Cause)).Inc()
	}
	if a.Cause == alg.NoCause || a.Cause == alg.CauseKernel { // else the kernel was not asked
		m.pinholeOpen.Observe(a.Opening.Seconds())
	}
}

func (m *Metrics) promiseEnded(p alg.PinholeEnd) {
	m.expectations.WithLabelValues(modeLabel(p.Mode), string(p.End)).Inc()
}

func (m *Metrics) opaqueSession(_ uint64, isPassed bool) {
	action := refused
	if isPassed {
		action = passed
	}
	m.opaque.WithLabelValues(action).Inc()
}

func (m *Metrics) transferEnded(t alg.Transfer) {
	direction, bytes := download, t.Traffic.FromServer
	if t.Uploads() {
		direction, bytes = upload, t.Traffic.FromClient
	}
	mode := modeLabel(t.Mode)
	m.transfers.WithLabelValues(direction, mode).Inc()
	m.transferBytes.WithLabelValues(direction, mode).Add(float64(bytes))
	if t.Relayed {
		m.relayed.Inc()
	}
}

func (m *Metrics) secured(s alg.Secured) {
	m.handshakes.WithLabelValues(string(s.Side), connectionLabel(s.Data), strings.TrimPrefix(s.TLS.Version, "TLS "), yesNo(s.TLS.Resumed)).Inc()
}

// Drifted counts the rules that were put right.
func (m *Metrics) Drifted(found int) { m.ruleDrift.Add(float64(found)) }

// Reloaded notes an attempt to read the configuration, the one at the start
// included.
func (m *Metrics) Reloaded(ok bool, at time.Time) {
	m.reloadSuccessful.Set(number(ok))
	if ok {
		m.reloadTimestamp.Set(float64(at.UnixNano()) / 1e9)
	}
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
