package alg

import (
	"net/netip"
	"time"
)

// Observers returns an Observer that passes everything on to each of these,
// in their order.
func Observers(all ...Observer) Observer {
	each := make([]Observer, len(all))
	for i, o := range all {
		each[i] = o.withDefaults()
	}
	return Observer{
		Began: func(s SessionInfo) {
			for i := range each {
				each[i].Began(s)
			}
		},
		Ended: func(s SessionInfo, o Outcome, d time.Duration) {
			for i := range each {
				each[i].Ended(s, o, d)
			}
		},
		Rejected: func(listener string, client netip.AddrPort, why Rejection) {
			for i := range each {
				each[i].Rejected(listener, client, why)
			}
		},
		Refused:       pass(each, func(o *Observer) func(Refusal) { return o.Refused }),
		Announced:     pass(each, func(o *Observer) func(Announced) { return o.Announced }),
		PinholeEnded:  pass(each, func(o *Observer) func(PinholeEnd) { return o.PinholeEnded }),
		TransferEnded: pass(each, func(o *Observer) func(Transfer) { return o.TransferEnded }),
		Relayed:       pass(each, func(o *Observer) func(Relayed) { return o.Relayed }),
		Secured:       pass(each, func(o *Observer) func(Secured) { return o.Secured }),
		Opaque: func(session uint64, passed bool) {
			for i := range each {
				each[i].Opaque(session, passed)
			}
		},
	}
}

// pass returns a callback that calls the same one of each.
func pass[T any](each []Observer, one func(*Observer) func(T)) func(T) {
	return func(v T) {
		for i := range each {
			one(&each[i])(v)
		}
	}
}
