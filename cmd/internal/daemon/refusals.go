package daemon

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"

	"ftpalg/alg"
	"ftpalg/alg/dialogue"
	"ftpalg/cmd/internal/api"
)

// refusals counts by reason what was refused since the start, for the status
// page.
type refusals struct {
	mu     sync.Mutex
	counts map[string]uint64
}

func newRefusals() *refusals { return &refusals{counts: make(map[string]uint64)} }

func (r *refusals) observer() alg.Observer {
	return alg.Observer{
		Refused: func(f alg.Refusal) { r.count(lineWords[f.Reason]) },
		Announced: func(a alg.Announced) {
			if a.Result == alg.NotOpened {
				r.count(causeWords[a.Cause])
			}
		},
		Rejected: func(_ string, _ netip.AddrPort, why alg.Rejection) { r.count(turnWords[why]) },
	}
}

func (r *refusals) count(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts[cmp.Or(why, "another reason")]++
}

// list returns the counts, the greatest first.
func (r *refusals) list() []api.Refusal {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]api.Refusal, 0, len(r.counts))
	for why, n := range r.counts {
		out = append(out, api.Refusal{Reason: why, Count: n})
	}
	slices.SortFunc(out, func(a, b api.Refusal) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}

// The reasons in words.
var (
	lineWords = map[dialogue.Reason]string{
		dialogue.ThirdParty: "PORT to another host",
		dialogue.LowPort:    "a port below 1024",
		dialogue.Syntax:     "a host-port that cannot be read",
		dialogue.Framing:    "a line that could be read in two ways",
		dialogue.TooLong:    "a line beyond limits.command_line",
		dialogue.Family:     "the other address family",
		dialogue.NotAllowed: "a command that is not allowed",
		dialogue.Sequence:   "not allowed after EPSV ALL",
		dialogue.NotFTP:     "another protocol than FTP",
		dialogue.Unasked:    "a 227 or 229 without PASV or EPSV",
	}
	causeWords = map[alg.Cause]string{
		alg.CausePool:       "no data port is free",
		alg.CauseShare:      "more than limits.promises_per_client",
		alg.CauseRate:       "more than rates.promises",
		alg.CauseUnresolved: "the public address is not known",
		alg.CauseKernel:     "the kernel opened no pinhole",
	}
	turnWords = map[alg.Rejection]string{
		alg.RejectDraining:    "a connection while draining",
		alg.RejectDirect:      "a connection to the gateway itself",
		alg.RejectLimit:       "more than limits.sessions",
		alg.RejectBanned:      "a client with too many failed logins",
		alg.RejectRate:        "more than rates.connections",
		alg.RejectClientLimit: "more than limits.sessions_per_client",
		alg.RejectUnreachable: "the server does not answer",
		alg.RejectHeader:      "a balancer did not say whose connection it is",
		alg.RejectTLS:         "TLS could not begin",
	}
)
