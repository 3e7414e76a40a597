package alg

import (
	"errors"
	"net/netip"
	"syscall"
	"time"

	"ftpalg/alg/dialogue"
	"ftpalg/alg/nat"
)

// openData opens the data connection of an announcement: when it returns
// without an error the kernel has confirmed, and the other side may be told
// text. The error wraps nat.ErrExhausted, nat.ErrUnresolved, errShare, errRate or the kernel's.
func (s *session) openData(a *dialogue.Announcement) (d *dataConn, text netip.AddrPort, err error) {
	done := Announced{Session: s.number, Mode: a.Mode}
	began := time.Now()
	if !s.g.rates.allow(clientHost(s.ends.Client.Addr()), ratePromises, s.settings.Rates.Promises) {
		err = errRate
	} else {
		d, text, err = s.openAnyPort(a)
		done.Opening = time.Since(began)
	}
	if err != nil {
		done.Result, done.Cause = NotOpened, causeOf(err)
		s.g.observer.Announced(done)
		s.log.Warn("data connection cannot be opened", "event", "promise_failed", "mode", a.Mode, "at", a.At, "error", err)
		return nil, text, err
	}
	s.announced.Add(1)
	s.modes.include(a.Mode)
	done.Result = resultOf(a, text)
	s.g.observer.Announced(done)
	s.log.Debug("data connection opened", "event", "promised", "mode", a.Mode,
		"said", a.Said, "at", a.At, "told", text, "from", d.From, "to", d.Reached, "seen", d.Seen)
	return d, text, nil
}

// portTries bounds how many ports are tried that turn out to be in use.
const portTries = 8

// openAnyPort opens a data connection. The port at which this process is to meet
// it may be in use: connections of this machine have theirs from the same
// numbers (ip(7), ip_local_port_range). It rests then, and another is tried.
func (s *session) openAnyPort(a *dialogue.Announcement) (d *dataConn, text netip.AddrPort, err error) {
	for range portTries {
		offer := s.g.data.offer
		if a.ServerMode != 0 {
			offer = s.g.data.offerConverted
		}
		if d, text, err = offer(s.ends, a, s.settings); err != nil {
			return nil, text, err
		}
		d.Session, d.session, d.Until = s.number, &s.data, time.Now().Add(s.settings.PinholeTimeout)
		if d.Relayed = s.settings.Relay || a.Protected || s.serverTLS != nil || s.ends.Convert() || a.ServerMode != 0 || a.Mode.Passive() && s.behind(); d.Relayed {
			d.relay = newRelay(s.g.data, d, s.log)
			d.relay.server = s.serverTLS
			d.relay.proxy, d.relay.client, d.relay.reached = s.service.Proxy, s.ends.Client.Addr(), s.ends.Reached
			d.relay.behind = s.behind()
		}
		if a.Protected {
			d.relay.protect, d.relay.mustResume = s.tls, s.service.ResumeData
		}
		if err = s.g.data.open(s.ctx, d); d.leased == 0 || !errors.Is(err, syscall.EADDRINUSE) {
			return d, text, err
		}
	}
	return nil, text, err
}

// behind reports whether the client's data connections are made by a balancer, and
// begin with a header.
func (s *session) behind() bool {
	return s.ends.Balancer.IsValid() && s.service.Proxy != nil && s.service.Proxy.Data
}

// resultOf says whether the other side reads what was announced.
func resultOf(a *dialogue.Announcement, text netip.AddrPort) Result {
	if text.Port() == a.At.Port() && (text.Addr() == a.Said || !a.Said.IsValid()) {
		return Unchanged
	}
	return Replaced
}

// reply425 is the honest answer when a data connection cannot be opened
// (RFC 959 section 5.4 allows 425 for the transfer, and clients take it for
// PASV too).
func reply425(err error) string {
	switch causeOf(err) {
	case CausePool:
		return "425 No data port is free, try again later."
	case CauseShare:
		return "425 Your address has too many data connections, try again later."
	case CauseRate:
		return "425 Your address asks for too many data connections, try again later."
	case CauseUnresolved:
		return "425 The public address is not known yet, try again later."
	}
	return "425 The data connection cannot be opened at the gateway."
}

// causeOf names the reason for a reply425.
func causeOf(err error) Cause {
	switch {
	case errors.Is(err, nat.ErrExhausted):
		return CausePool
	case errors.Is(err, errShare):
		return CauseShare
	case errors.Is(err, errRate):
		return CauseRate
	case errors.Is(err, nat.ErrUnresolved):
		return CauseUnresolved
	}
	return CauseKernel
}

// releaseData releases the data connections of those announcements which the
// drop ends. The caller holds mu.
func (s *session) releaseData(drop dialogue.Drop) {
	how := endOf(drop.By)
	kept := s.open[:0]
	for _, d := range s.open {
		if drop.Ends(d.announcement) {
			s.g.data.release(d, how)
		} else {
			kept = append(kept, d)
		}
	}
	clear(s.open[len(kept):])
	s.open = kept
}

// releaseAllData releases what is left: the session ends. The caller holds mu
// or is the last to run.
func (s *session) releaseAllData() {
	for _, d := range s.open {
		s.g.data.release(d, EndClosed)
	}
	s.open = nil
}

func endOf(e dialogue.Ending) End {
	switch e {
	case dialogue.Used:
		return EndUsed
	case dialogue.Superseded:
		return EndReplaced
	}
	return EndClosed
}
