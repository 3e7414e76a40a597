package metrics

import (
	"strings"

	"ftpalg/alg"
	"ftpalg/alg/dialogue"
	"ftpalg/alg/expect"
)

// The values of labels, each a closed set.
var (
	outcomes = []alg.Outcome{alg.Closed, alg.Idle, alg.Refused, alg.Failed, alg.Drained, alg.Killed}
	modes    = []expect.Mode{expect.PORT, expect.EPRT, expect.PASV, expect.EPSV}
	results  = []alg.Result{alg.Replaced, alg.Unchanged, alg.NotOpened}
	ends     = []alg.End{alg.EndUsed, alg.EndExpired, alg.EndReplaced, alg.EndClosed, alg.EndFailed}

	// A line is refused by the dialogue, an announcement for a cause, and a
	// connection is turned away.
	reasons = []dialogue.Reason{
		dialogue.ThirdParty, dialogue.LowPort, dialogue.Syntax, dialogue.Framing, dialogue.TooLong,
		dialogue.Family, dialogue.NotAllowed, dialogue.Sequence, dialogue.NotFTP,
	}
	causes = []alg.Cause{alg.CausePool, alg.CauseShare, alg.CauseRate, alg.CauseUnresolved, alg.CauseKernel}
	turns  = []alg.Rejection{alg.RejectDraining, alg.RejectDirect, alg.RejectBanned, alg.RejectRate, alg.RejectLimit, alg.RejectClientLimit, alg.RejectUnreachable, alg.RejectHeader, alg.RejectTLS}
)

const (
	download, upload = "download", "upload"
	passed, refused  = "passed", "refused"
	// noMode is the mode of a transfer whose data connection was not
	// announced: the server takes its default port (RFC 959 section 3.2).
	noMode = "none"
)

// modeLabel returns the command in lower case.
func modeLabel(m expect.Mode) string {
	if m == 0 {
		return noMode
	}
	return strings.ToLower(m.String())
}

// beginAtZero makes every series, so that a rate can be taken of the first
// event, too.
func (m *Metrics) beginAtZero() {
	for _, o := range outcomes {
		m.sessions.WithLabelValues(string(o))
	}
	for _, r := range reasons {
		m.refusals.WithLabelValues(string(r))
	}
	for _, c := range causes {
		m.refusals.WithLabelValues(string(c))
	}
	for _, t := range turns {
		m.refusals.WithLabelValues(string(t))
	}
	for _, a := range []string{passed, refused} {
		m.opaque.WithLabelValues(a)
	}
	for _, side := range []alg.Side{alg.FromClient, alg.FromServer} {
		for _, version := range []string{"1.2", "1.3"} {
			for i := range 4 {
				m.handshakes.WithLabelValues(string(side), connectionLabel(i&1 == 0), version, yesNo(i&2 == 0))
			}
		}
	}
	m.transfersBeginAtZero(noMode)
	for _, mode := range modes {
		label := modeLabel(mode)
		m.transfersBeginAtZero(label)
		for _, r := range results {
			m.rewrites.WithLabelValues(label, string(r))
		}
		for _, e := range ends {
			m.expectations.WithLabelValues(label, string(e))
		}
	}
}

func connectionLabel(data bool) string {
	if data {
		return "data"
	}
	return "control"
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func (m *Metrics) transfersBeginAtZero(mode string) {
	for _, direction := range []string{download, upload} {
		m.transfers.WithLabelValues(direction, mode)
		m.transferBytes.WithLabelValues(direction, mode)
	}
}
